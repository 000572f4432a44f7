"""The recipe of the image, as far as it can be read without building it."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
RECIPE = (PROJECT / "containers" / "rootflow.def").read_text()
LOCKS = ("requirements.lock", "requirements-gpu.lock")


def sections() -> dict[str, list[str]]:
    """Return the lines of each section, and of the head under no name."""
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in RECIPE.splitlines():
        if line.startswith("%"):
            name = line.removeprefix("%").strip()
            found[name] = []
        elif line.strip() and not line.startswith("#"):
            found[name].append(line.strip())
    return found


def test_the_head_names_an_image_with_the_python_of_the_locks() -> None:
    assert sections()[""] == ["Bootstrap: docker", "From: python:3.11-slim-bookworm"]
    assert sections()["arguments"] == [f"lock={LOCKS[0]}"]


@pytest.mark.parametrize("lock", LOCKS)
def test_all_that_the_project_is_installed_from_goes_into_the_image(lock: str) -> None:
    carried = dict(line.replace("{{ lock }}", lock).split() for line in sections()["files"])
    assert all((PROJECT / source).exists() for source in carried)
    build = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wheel = build["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {build["project"]["readme"], *wheel["packages"], *wheel["force-include"], lock}
    assert {each for each in needed if not {each, each.split("/")[0]} & set(carried)} == set()


@pytest.mark.parametrize("name", ["post", "test", "runscript", "environment"])
def test_what_is_run_is_a_script(name: str) -> None:
    script = "\n".join(sections()[name])
    subprocess.run(["sh", "-n"], input=script, check=True, text=True)
    assert not re.search(r"{{|}}", script)
