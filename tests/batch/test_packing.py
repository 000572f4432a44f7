"""Jobs in a packed environment that their nodes have not."""

import subprocess
import tarfile
import venv
from pathlib import Path
from typing import Any

import pytest

from batch_jobs import profile
from rootflow.batch import Job, make_executor
from rootflow.batch.packing import ABOUT, pack, packed_in
from rootflow.cli import cli
from rootflow.errors import InputError, UsageError

# What a job says of the Python that it runs in.
SPEAK = """
import json, os, subprocess, sys
import installed, edited
loaded = {line.split()[-1] for line in open("/proc/self/maps") if "libpython" in line}
print(json.dumps({
    "here": os.getcwd(), "prefix": sys.prefix, "python": sys.executable, "library": sorted(loaded),
    "modules": [installed.__file__, edited.__file__],
    "script": subprocess.run(["speak"], capture_output=True, text=True).stdout,
}), file=open(os.environ["ROOTFLOW_RESULT"], "w"))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of a small environment: a package, another that is edited, a script."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place / "venv", symlinks=True)
    [packages] = (place / "venv" / "lib").glob("python3*/site-packages")
    (packages / "installed.py").write_text("WORD = 'installed'\n")
    source = place / "source"
    source.mkdir()
    (source / "edited.py").write_text("WORD = 'edited'\n")
    (packages / "edited.pth").write_text(f"{source}\n")
    script = place / "venv" / "bin" / "speak"
    script.write_text(f"#!{place}/venv/bin/python\nimport sys\nprint(sys.prefix)\n")
    script.chmod(0o755)
    return place / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def packed(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("packed") / "small.tar.gz"
    pack(python, file)
    return file


def test_the_file_says_what_is_in_it(packed: Path, python: Path) -> None:
    about = packed_in(packed)
    with tarfile.open(packed) as archive:
        members = [member for member in archive if member.isfile() and member.name != ABOUT]
    assert len(members) == about.files
    version = subprocess.run([python, "--version"], capture_output=True, text=True).stdout
    assert version.startswith(f"Python {about.python}.")


@pytest.mark.parametrize("kind", ["transfer", "spool"])
@pytest.mark.usefixtures("pool")
def test_jobs_run_in_it(kind: str, packed: Path, tmp_path: Path) -> None:
    words = profile(kind, packed_environment=str(packed))
    executor = make_executor(words, tmp_path / "batch")
    job = Job("speaks", ("python", "-c", SPEAK), tmp_path / "job")
    [job_id] = executor.submit([job])
    executor.wait([job_id], 180)
    said: dict[str, Any] = executor.result(job_id)
    own = f"{said['here']}/.environment"
    assert said["prefix"] == own
    assert Path(said["python"]).parent == Path(own) / "bin"
    assert [Path(module).name for module in said["modules"]] == ["installed.py", "edited.py"]
    assert all(place.startswith(f"{own}/lib/") for place in said["modules"] + said["library"])
    assert said["script"] == f"{own}\n"
    needed = packed_in(packed).bytes + packed.stat().st_size
    [asked] = [
        int(line.partition("=")[2])
        for line in executor.describe([job]).splitlines()
        if line.startswith("request_disk")
    ]
    assert asked * 1024 > needed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"files": "shared"}, "that takes files: transfer or spool"),
        ({"files": "transfer", "python": "/usr/bin/python3"}, "leave out python"),
        ({"files": "transfer", "job": {"container": "image.sif"}}, "leave out python"),
    ],
)
def test_what_does_not_go_with_it_is_one_line(words: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        profile("shared", packed_environment="some.tar.gz", **words)


def test_a_file_that_is_none_is_found_when_the_job_is_submitted(tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    words = profile("transfer", packed_environment=str(other))
    executor = make_executor(words, tmp_path / "batch")
    job = Job("job", ("true",), tmp_path / "job")
    with pytest.raises(InputError, match=r"other\.tar\.gz is not there: rootflow pack"):
        executor.describe([job])
    spaced = profile("transfer", packed_environment=str(tmp_path / "my own.tar.gz"))
    with pytest.raises(UsageError, match=r"my own\.tar\.gz': HTCondor takes no"):
        make_executor(spaced, tmp_path / "batch").describe([job])
    for content in (b"", b"text", b"\x1f\x8b\x08\x00damaged"):
        other.write_bytes(content)
        with pytest.raises(InputError, match=r"make it with rootflow pack .*other\.tar\.gz"):
            executor.describe([job])


def test_an_editable_install_by_code_is_refused(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    [packages] = (tmp_path / "venv" / "lib").glob("python3*/site-packages")
    (packages / "__editable__.own.pth").write_text("import __editable___own_finder\n")
    with pytest.raises(InputError, match=r"__editable__\.own: .* install it without --editable"):
        pack(tmp_path / "venv" / "bin" / "python", tmp_path / "own.tar.gz")
    with pytest.raises(InputError, match="this is no Python that runs"):
        pack(tmp_path / "none", tmp_path / "own.tar.gz")
    assert not list(tmp_path.glob("*.tar.gz*"))


def test_an_image_brings_its_own_python(tmp_path: Path) -> None:
    words = profile("transfer", job={"container": "docker://python:3.11"})
    text = make_executor(words, tmp_path).describe([Job("job", ("true",), tmp_path / "job")])
    lines = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    assert lines["executable"] == "/bin/sh"
    assert lines["arguments"] == "\"-c 'exec python3 -I job.py job.json'\""
    assert lines["container_image"] == "docker://python:3.11"


def test_more_than_a_schedd_takes_is_one_line(tmp_path: Path) -> None:
    words = profile("spool", limits={"jobs": 2, "carried_gib": 1e-6})
    executor = make_executor(words, tmp_path / "batch")
    large = tmp_path / "events"
    large.mkdir()
    (large / "a.root").write_bytes(bytes(2000))
    jobs = [Job(f"job{n}", ("true",), tmp_path / f"job{n}") for n in range(3)]
    with pytest.raises(UsageError, match=r"3 jobs at once: the schedd takes 2 \(limits.jobs\)"):
        executor.submit(jobs)
    with pytest.raises(
        UsageError, match=r"job heavy: .* carried to it, and the schedd takes 1e-06"
    ):
        executor.submit([Job("heavy", ("true",), tmp_path / "heavy", (large,))])
    assert not (tmp_path / "job0").exists()


def test_the_command_says_what_it_has_packed(python: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    file = tmp_path / "small.tar.gz"
    answer = CliRunner().invoke(cli, ["pack", str(file), "--python", str(python)])
    assert answer.exit_code == 0, answer.output
    assert f"{file}: Python 3." in answer.output
    assert packed_in(file).files > 100
