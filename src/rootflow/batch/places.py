"""Where the files of condor/ are: in the project, or in the installed package."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
PROJECT = PACKAGE.parents[1]


def condor_files() -> Path:
    """Return the folder with the profiles and the personal pool's configuration."""
    installed = PACKAGE / "condor"
    return installed if installed.is_dir() else PROJECT / "condor"
