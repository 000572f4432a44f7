"""What scripts of the project make for tests, of what no part of rootflow needs."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


def made_by_script(script: str, missing: str) -> str:
    """Return what a script prints that makes something; `missing` says so where it cannot.

    Then the test fails on the machines that must have it, those with CI in their environment, and
    is skipped on others.
    """
    made = subprocess.run([SCRIPTS / script], capture_output=True, text=True, check=False)
    if made.returncode:
        reason = f"{missing}: {made.stderr[-500:]}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return made.stdout.strip()
