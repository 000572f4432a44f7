"""A personal HTCondor pool on this machine: to try the batch side, and to test it."""

import getpass
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from condor_pool.daemons import Release, find_or_install
from rootflow.batch.schedd import CONFIG, htcondor, use
from rootflow.cores import usable_cores
from rootflow.errors import RootflowError, UsageError
from rootflow.files import alone_in, cache, whole_file

FOLDERS = ("log", "spool", "execute", "lock", "run")
SECRET_FOLDERS = ("passwords.d", "tokens.d")
RECORD = "pool.json"
OUTPUT = "master.log"
LOGS = ("MasterLog", "SharedPortLog", "CollectorLog", "NegotiatorLog", "SchedLog", "StartLog")
SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 20.0
SECONDS_BETWEEN_LOOKS = 0.1
# As root the daemons take this account's name: HTCondor runs no job of root's. It is not
# `nobody`, whose number stands for every unknown account, so that others could submit too.
ACCOUNT_FOR_ROOT = "daemon"
TROUBLE = re.compile(
    r"\b(error|failed|failure|cannot|can't|unable|denied|refused|not permitted|no such|invalid"
    r"|timed out|timeout|exited with status [1-9]|died)\b",
    re.IGNORECASE,
)
# Said by every pool as it starts.
USUAL = re.compile(
    r"shared_port_ad|SharedPortServer|Daemon Log is logging|Log last touched"
    r"|0 failed to load|HibernationSupportedStates"
)
STAMP = re.compile(r"^[\d/]+ [\d:.]+ (\(pid:\d+\) )?")


class Pool(NamedTuple):
    """A personal pool as it is now; `cpus` is 0 and `pid` None where none runs.

    `programs` is the folder with condor_q and the others.
    """

    directory: Path
    config: Path
    pid: int | None
    cpus: int
    idle: int = 0
    running: int = 0
    held: int = 0
    programs: Path = Path()


def default_directory() -> Path:
    """Return where the pool of this account is kept unless another place is named."""
    return cache() / "pool"


def up(
    directory: Path, cpus: int | None = None, *, ends_with_me: bool = False, settings: str = ""
) -> Pool:
    """Start the pool kept in `directory`, or find it running.

    Parameters
    ----------
    directory
        Its configuration, logs and queue; a pool that was stopped goes on with its queue.
    cpus
        Jobs of one CPU that run at once; may exceed this machine's.
    ends_with_me
        Stop the pool when the calling thread ends, however it ends.
    settings
        Further configuration in HTCondor's own language, as for a second startd.
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
        release = find_or_install()
        cpus = cpus or usable_cores()
        _configure(release, directory, cpus, settings)
        _start(_command(release, ends_with_me), directory, cpus)
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
    programs = find_or_install().root / "bin"
    return Pool(directory, config, record["pid"], record["cpus"], idle, running, held, programs)


def _configure(release: Release, directory: Path, cpus: int, settings: str) -> None:
    for name in FOLDERS:
        (directory / name).mkdir(exist_ok=True)
    for name in SECRET_FOLDERS:
        (directory / name).mkdir(mode=0o700, exist_ok=True)
    text = _configuration(release, directory, cpus)
    (directory / "condor_config").write_text(text + settings)


def _start(command: Sequence[str], directory: Path, cpus: int) -> None:
    config = directory / "condor_config"
    complaints = Complaints([directory / OUTPUT, *(directory / "log" / name for name in LOGS)])
    with (directory / OUTPUT).open("a") as stream:
        master = subprocess.Popen(  # noqa: S603 - words of this module, no shell
            command,
            env=_environment(config),
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
    while (lacking := _lacking(cpus)) is not None:
        if master.poll() is not None:
            lacking = f"condor_master has ended with status {master.returncode}"
        elif time.monotonic() < deadline:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            continue
        said = "; ".join([lacking, *complaints.since()])
        _end(master)
        (directory / RECORD).unlink()
        raise RootflowError(f"HTCondor does not start in {directory}: {said}; see {directory}/log")
    master.returncode = 0  # it outlives this process: nobody waits for it


def _environment(config: Path) -> dict[str, str]:
    """Return the environment without what another HTCondor, whose job this is, has put there."""
    others = ("_CONDOR_", "CONDOR_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return {**own, CONFIG: str(config)}


def _end(master: "subprocess.Popen[bytes]") -> None:
    master.send_signal(signal.SIGQUIT)
    try:
        master.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        master.kill()
        master.wait()


def _command(release: Release, ends_with_me: bool) -> Sequence[str]:
    command = [str(release.master), "-f"]
    if ends_with_me:
        command = ["setpriv", "--pdeathsig", "QUIT", *command]
    if os.getuid() == 0:
        command = ["unshare", "--user", "--map-user=1", "--map-group=1", *command]
    return command


def _configuration(release: Release, directory: Path, cpus: int) -> str:
    text = Path(__file__).with_name("condor_config.in").read_text()
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


def _lacking(cpus: int) -> str | None:
    """Return None when the schedd answers and the slot is there to be matched, else what lacks."""
    module = htcondor()
    try:
        module.Schedd().query(projection=["ClusterId"], limit=1)
        slots = module.Collector().query(module.AdType.Slot, projection=["TotalCpus"])
    except (module.HTCondorException, KeyError) as error:
        return " ".join(str(error).split())
    if any(int(slot.get("TotalCpus", 0)) == cpus for slot in slots):
        return None
    return f"no startd has offered {cpus} cpus"


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


class Complaints:
    """What daemons complain of in their logs from the moment this is made."""

    def __init__(self, logs: Sequence[Path]) -> None:
        self._sizes = {log: log.stat().st_size if log.exists() else 0 for log in logs}

    def since(self) -> list[str]:
        """Return the last line of trouble of each log, with the log's name."""
        found = []
        for log, size in self._sizes.items():
            trouble = [line for line in _lines(log, size) if _is_trouble(line)]
            if trouble:
                found.append(f"{log.name}: {STAMP.sub('', trouble[-1]).strip()}")
        return found


def _lines(log: Path, offset: int) -> list[str]:
    if not log.exists():
        return []
    with log.open("rb") as stream:
        stream.seek(offset)
        return stream.read().decode(errors="replace").splitlines()


def _is_trouble(line: str) -> bool:
    return bool(TROUBLE.search(line)) and not USUAL.search(line)
