"""The two environments that can be set up: the same but for TensorFlow's build."""

import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from rootflow.training.devices import BUILDS

PROJECT = Path(__file__).parents[1]
LOCKS = {"cpu": "requirements.lock", "gpu": "requirements-gpu.lock"}


def versions(extra: str) -> dict[str, str]:
    lines = (PROJECT / LOCKS[extra]).read_text().splitlines()
    return dict(line.partition(";")[0].strip().split("==") for line in lines)


def test_each_lock_has_one_build_of_tensorflow_and_both_the_same_versions_of_all_else() -> None:
    cpu, gpu = versions("cpu"), versions("gpu")
    assert cpu.pop(BUILDS["cpu"]) == gpu.pop(BUILDS["gpu"])
    assert set(BUILDS.values()) & (set(cpu) | set(gpu)) == set()
    cuda = {name for name in gpu if name.startswith("nvidia-")}
    assert {"nvidia-cudnn-cu12", "nvidia-cublas-cu12"} <= cuda
    assert {name: gpu[name] for name in set(gpu) - cuda} == cpu


@pytest.mark.parametrize("extra", LOCKS)
def test_a_lock_fulfils_the_project(extra: str) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    more = project["optional-dependencies"]
    wanted = [*project["dependencies"], *more["simulation"], *more["remote"], *more["dev"]]
    locked = versions(extra)
    for text in [*wanted, *more[extra]]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(locked[requirement.name.lower()]), text


def test_an_environment_that_there_is_not_is_one_line(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "setup.sh"
    script.parent.mkdir()
    script.write_bytes((PROJECT / "scripts" / "setup.sh").read_bytes())
    answer = subprocess.run(["bash", script, "gpus"], capture_output=True, text=True)
    assert answer.returncode == 2
    assert answer.stderr == "scripts/setup.sh gpus: there is no such environment: cpu or gpu\n"


PYTHON = """\
#!/bin/sh
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp {uv} "$3/bin/uv" ;;
esac
"""
UV = """\
#!/bin/sh
echo "$*" >>{calls}
[ "$1" != venv ] || {{ rm -rf .venv && mkdir -p .venv/bin .venv/lib/python3.11/site-packages &&
  printf '#!/bin/sh\\n' >.venv/bin/python && chmod +x .venv/bin/python; }}
"""


def test_an_environment_stays_what_it_was_made_for(tmp_path: Path) -> None:
    """Without a build of TensorFlow: uv and Python are stand-ins that say what they are asked."""
    for name in ("scripts/setup.sh", *LOCKS.values()):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((PROJECT / name).read_bytes())
    tools, calls = tmp_path / "tools", tmp_path / "calls"
    tools.mkdir()
    (tools / "uv").write_text(UV.format(calls=calls))
    (tools / "python3.11").write_text(PYTHON.format(uv=tools / "uv"))
    for tool in tools.iterdir():
        tool.chmod(0o755)
    installed = []
    for words in ([], ["gpu"], [], ["cpu"], []):
        calls.write_text("")
        subprocess.run(
            ["bash", tmp_path / "scripts" / "setup.sh", *words],
            env={"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(tmp_path)},
            check=True,
        )
        said = calls.read_text().splitlines()
        installed.append(next(line.split()[-1] for line in said if " -r " in line))
    cpu, gpu = LOCKS["cpu"], LOCKS["gpu"]
    assert installed == [cpu, gpu, gpu, cpu, cpu]
