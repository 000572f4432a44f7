"""The personal pool as a user starts and stops it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from condor_pool import Pool, daemons, down, status, up
from condor_pool.pool import Complaints
from rootflow.batch.schedd import htcondor, use
from rootflow.commands.pool import pool as pool_command
from rootflow.errors import RootflowError, UsageError
from rootflow.files import cache


def rootflow_pool(*arguments: str) -> Result:
    return CliRunner().invoke(pool_command, arguments, catch_exceptions=False)


@pytest.fixture
def own_configuration(pool: Pool) -> Iterator[None]:
    """Have the tests that follow use their pool again, this process and its bindings."""
    yield
    use(pool.config)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have which pool is in use noted for this test alone, with HTCondor as it is unpacked."""
    unpacked = cache() / "condor"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if unpacked.exists():
        cache().mkdir(parents=True)
        (cache() / "condor").symlink_to(unpacked)


def answers() -> str:
    """Return whether a new process, which is told of no pool, finds one that answers."""
    code = "from rootflow.batch.schedd import Schedd; print(Schedd(None).answers())"
    environment = {k: v for k, v in os.environ.items() if k != "CONDOR_CONFIG"}
    return subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).strip()


@pytest.mark.usefixtures("own_configuration", "own_cache")
def test_a_pool_is_started_once_and_stopped(tmp_path: Path) -> None:
    where = ("--directory", str(tmp_path / "mine"))
    up = rootflow_pool("up", "--cpus", "3", *where)
    export = up.stdout.strip()
    assert export.startswith(f"export CONDOR_CONFIG={tmp_path}/mine/condor_config\nexport PATH=")
    subprocess.run(["bash", "-c", f"{export}; condor_q"], check=True)
    assert "condor_q and HTCondor's other commands are in /" in up.stderr
    assert answers() == "True"
    running = status(tmp_path / "mine")
    assert (running.cpus, running.pid is not None) == (3, True)

    assert rootflow_pool("up", *where).stdout.strip() == export
    assert status(tmp_path / "mine").pid == running.pid
    with pytest.raises(UsageError, match="runs with 3 cpus: stop it first"):
        rootflow_pool("up", "--cpus", "4", *where)

    assert "stopped" in rootflow_pool("down", *where).stderr
    assert answers() == "False"
    assert status(tmp_path / "mine").pid is None
    assert "no pool runs" in rootflow_pool("status", *where).stderr
    assert "no pool runs" in rootflow_pool("down", *where).stderr


@pytest.mark.usefixtures("own_configuration")
def test_a_pool_that_does_not_start_says_what_its_daemons_complain_of(tmp_path: Path) -> None:
    complaint = r"condor_master has ended with status \d+; MasterLog: .*not a valid boolean"
    with pytest.raises(RootflowError, match=complaint) as error:
        up(tmp_path / "mine", 2, ends_with_me=True, settings="USE_SHARED_PORT = maybe((\n")
    assert "\n" not in str(error.value)
    assert status(tmp_path / "mine").pid is None
    assert up(tmp_path / "mine", 2, ends_with_me=True).pid is not None  # it can be mended
    assert down(tmp_path / "mine")


def test_the_pool_answers_where_tensorflow_was_first(pool: Pool) -> None:
    """TensorFlow has a cryptography library that must not stand in for the bindings' own."""
    program = (
        "import sys, tensorflow; from pathlib import Path; from condor_pool import status;"
        "print(status(Path(sys.argv[1])).cpus)"
    )
    command = [sys.executable, "-c", program, str(pool.directory)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stdout.strip() == str(pool.cpus), answer.stderr


def test_the_last_trouble_of_each_log_is_told(tmp_path: Path) -> None:
    log = tmp_path / "SchedLog"
    log.write_text("11/25/26 16:00:05 ERROR of an earlier start\n")
    complaints = Complaints([log, tmp_path / "MasterLog"])
    assert complaints.since() == []
    with log.open("a") as stream:
        stream.write("11/25/26 16:00:05 (pid:7) Failed to bind\n11/25/26 16:00:06 (pid:7) Hello\n")
    assert complaints.since() == ["SchedLog: Failed to bind"]


def test_status_counts_jobs(pool: Pool) -> None:
    shown = rootflow_pool("status", "--directory", str(pool.directory))
    assert f"pool of {pool.cpus} cpus" in shown.stderr
    assert shown.stdout.splitlines()[0] == f"export CONDOR_CONFIG={pool.config}"


def test_its_secrets_are_for_the_owner_only(pool: Pool) -> None:
    mode = (pool.directory / "tokens.d").stat().st_mode
    assert stat.S_IMODE(mode) == 0o700


def test_a_configuration_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDOR_CONFIG", str(tmp_path / "gone"))
    with pytest.raises(UsageError, match="gone is not there; start a pool"):
        htcondor()


def test_condor_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sbin", "lib64/condor", "libexec/condor"):
        (tmp_path / name).mkdir(parents=True)
    master = tmp_path / "sbin" / "condor_master"
    master.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(master.parent))
    release = daemons.find_or_install()
    assert release == daemons.Release(
        tmp_path, tmp_path / "lib64" / "condor", tmp_path / "libexec" / "condor"
    )


def test_no_condor_and_no_apt_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(RootflowError, match="there is no apt-get: install HTCondor and put"):
        daemons.find_or_install()
    assert not (tmp_path / "rootflow" / "condor").exists()
