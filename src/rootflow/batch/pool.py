"""A personal HTCondor pool on this machine: to try the batch side, and to test it."""

import getpass
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from rootflow.batch.bindings import htcondor, use
from rootflow.batch.daemons import Release, cache, find_or_install
from rootflow.batch.places import condor_files
from rootflow.errors import RootflowError, UsageError
from rootflow.files import alone_in, whole_file

FOLDERS = ("log", "spool", "execute", "lock", "run")
SECRET_FOLDERS = ("passwords.d", "tokens.d")
RECORD = "pool.json"
OUTPUT = "master.log"
SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 20.0
SECONDS_BETWEEN_LOOKS = 0.1
# As root the daemons take this account's name: HTCondor runs no job of root's. It is not
# `nobody`, whose number stands for every unknown account, so that others could submit too.
ACCOUNT_FOR_ROOT = "daemon"


class Pool(NamedTuple):
    """A personal pool as it is now; `cpus` is 0 and `pid` None where none runs."""

    directory: Path
    config: Path
    pid: int | None
    cpus: int
    idle: int = 0
    running: int = 0
    held: int = 0


def default_directory() -> Path:
    """Return where the pool of this account is kept unless another place is named."""
    return cache() / "pool"


def up(directory: Path, cpus: int | None = None, *, ends_with_me: bool = False) -> Pool:
    """Start the pool kept in `directory`, or find it running.

    Parameters
    ----------
    directory
        Its configuration, logs and queue; a pool that was stopped goes on with its queue.
    cpus
        Jobs of one CPU that run at once; may exceed this machine's.
    ends_with_me
        Stop the pool when this process ends, however it ends.

    Raises
    ------
    UsageError
        It runs already, with another number of CPUs.
    RootflowError
        HTCondor cannot be installed or does not start.
    """
    directory = directory.resolve()
    with alone_in(directory):
        running = status(directory)
        if running.pid is not None:
            if cpus not in (None, running.cpus):
                raise UsageError(
                    f"the pool in {directory} runs with {running.cpus} cpus: stop it first "
                    "(rootflow pool down)"
                )
            return running
        _start(find_or_install(), directory, cpus or os.cpu_count() or 1, ends_with_me)
        return status(directory)


def down(directory: Path) -> bool:
    """Stop the pool, jobs included, and return whether one ran; its queue is kept."""
    directory = directory.resolve()
    if not directory.is_dir():
        return False
    with alone_in(directory):
        master = _master(directory)
        if master is None:
            return False
        family = [master, *master.children(recursive=True)]
        master.send_signal(signal.SIGQUIT)
        _, left = psutil.wait_procs(family, SECONDS_TO_STOP)
        for process in left:
            process.kill()
        (directory / RECORD).unlink()
        return True


def status(directory: Path) -> Pool:
    """Return the pool as it is now."""
    directory = directory.resolve()
    config = directory / "condor_config"
    if _master(directory) is None:
        return Pool(directory, config, None, 0)
    record = json.loads((directory / RECORD).read_text())
    use(config)
    module = htcondor()
    try:
        jobs = module.Schedd().query(projection=["JobStatus"])
    except module.HTCondorException as error:
        raise RootflowError(f"the pool in {directory} does not answer: {error}") from None
    counts = [int(job["JobStatus"]) for job in jobs]
    idle, running, held = (counts.count(code) for code in (1, 2, 5))
    return Pool(directory, config, record["pid"], record["cpus"], idle, running, held)


def _start(release: Release, directory: Path, cpus: int, ends_with_me: bool) -> None:
    for name in FOLDERS:
        (directory / name).mkdir(exist_ok=True)
    for name in SECRET_FOLDERS:
        (directory / name).mkdir(mode=0o700, exist_ok=True)
    config = directory / "condor_config"
    config.write_text(_configuration(release, directory, cpus))
    output = directory / OUTPUT
    with output.open("w") as stream:
        master = subprocess.Popen(  # noqa: S603 - words of this module, no shell
            _command(release, ends_with_me),
            env={**os.environ, "CONDOR_CONFIG": str(config)},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = psutil.Process(master.pid).create_time()
    with whole_file(directory / RECORD) as partial:
        partial.write_text(json.dumps({"pid": master.pid, "started": started, "cpus": cpus}))
    use(config)
    deadline = time.monotonic() + SECONDS_TO_START
    while not _is_ready(cpus):
        if master.poll() is not None or time.monotonic() > deadline:
            said = output.read_text().strip().splitlines() or [f"nothing; see {directory}/log"]
            master.terminate()
            raise RootflowError(f"HTCondor does not start in {directory}; it said: {said[-1]}")
        time.sleep(SECONDS_BETWEEN_LOOKS)
    master.returncode = 0  # it outlives this process: nobody waits for it


def _command(release: Release, ends_with_me: bool) -> Sequence[str]:
    command = [str(release.master), "-f"]
    if ends_with_me:
        command = ["setpriv", "--pdeathsig", "QUIT", *command]
    if os.getuid() == 0:
        command = ["unshare", "--user", "--map-user=1", "--map-group=1", *command]
    return command


def _configuration(release: Release, directory: Path, cpus: int) -> str:
    text = (condor_files() / "pool" / "condor_config.in").read_text()
    memory = psutil.virtual_memory().total // 2**20
    words = {
        "RELEASE": release.root,
        "LIBEXEC": release.helpers,
        "LIB": release.libraries,
        "POOL": directory,
        "CPUS": cpus,
        "MEMORY": memory,
        "USER": ACCOUNT_FOR_ROOT if os.getuid() == 0 else getpass.getuser(),
    }
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    return text


def _is_ready(cpus: int) -> bool:
    """Return whether the schedd answers and the slot is there to be matched."""
    module = htcondor()
    try:
        module.Schedd().query(projection=["ClusterId"], limit=1)
        slots = module.Collector().query(module.AdType.Slot, projection=["TotalCpus"])
    except (module.HTCondorException, KeyError):
        return False
    return any(int(slot.get("TotalCpus", 0)) == cpus for slot in slots)


def _master(directory: Path) -> psutil.Process | None:
    """Return the running condor_master of the pool; a number used again is another process."""
    try:
        record = json.loads((directory / RECORD).read_text())
        process = psutil.Process(record["pid"])
        same = process.create_time() == record["started"]
        alive = same and process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None
    return process if alive else None
