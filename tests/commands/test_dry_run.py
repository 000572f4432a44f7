"""What a dry run prints is a submit file, for HTCondor's own parser too."""

import itertools
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from condor_pool.daemons import find_or_install
from rootflow.commands.jobs import submit
from rootflow.config.batch import load_profile

PROFILES = sorted((Path(__file__).parents[2] / "condor" / "profiles").glob("*.json"))
OF_HTCONDOR = [path for path in PROFILES if load_profile(path).executor == "htcondor"]
PROJECT = """\
name: toy
entry_points:
  main: {command: "echo 'of two\\nlines'"}
"""
SECRET = "c2VjcmV0LW9mLWEtcGFzc3dvcmQ"  # noqa: S105 - of no server


def dry_run(profile: Path, files: str, tracking: str, place: Path) -> str:
    """Return what is printed for a profile with other words, whose folder is in `place`."""
    folder = str(place / "batch")
    words = load_profile(profile).model_dump(mode="json")
    words |= {"files": files, "tracking": tracking, "folder": folder}
    (place / "site.yaml").write_text(yaml.safe_dump(words))
    (place / "MLproject").write_text(PROJECT)
    arguments = ["main", "--project", str(place), "--profile", str(place / "site.yaml")]
    arguments += ["--dry-run", "-P", f"storage=postgresql://me:{SECRET}@host/studies"]
    answer = CliRunner().invoke(submit, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.mark.parametrize("profile", OF_HTCONDOR, ids=lambda path: path.stem)
def test_every_profile_in_every_mode_is_parsed(profile: Path, workspace: Path) -> None:
    program = find_or_install().root / "bin" / "condor_submit"
    for files, tracking in itertools.product(("shared", "transfer", "spool"), ("server", "spool")):
        text = dry_run(profile, files, tracking, workspace)
        assert SECRET not in text
        (workspace / "job.sub").write_text(text)
        # Its folder is made as it is submitted.
        (workspace / "batch" / "RUN" / "job").mkdir(parents=True, exist_ok=True)
        parsed = subprocess.run(
            [program, "-dry-run", "-", "job.sub"],
            env={"CONDOR_CONFIG": "/dev/null"},
            capture_output=True,
            text=True,
        )
        assert parsed.returncode == 0, parsed.stderr
        there = f'Iwd="{workspace}/batch/RUN/job"'
        assert there in parsed.stdout.replace(" ", ""), parsed.stdout
        assert ('TransferInput="' in parsed.stdout) == (files != "shared")
