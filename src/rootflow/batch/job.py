"""The job's side: run one job on its node.

`python -m rootflow.batch.job SPEC.json`. HTCondor brings this file alone to a node without
a shared file system, so it imports nothing but Python's own library.

SPEC.json holds `command`, program and arguments, and optionally `environment`, `runtime`
and `grace` in seconds, `outputs`, `packages`, archives by the folder to unpack them in, `carried`:
HTCondor carries the files, and `secrets`: text that is left out of what the job says. Its owner
alone can read that file.
On SIGTERM, and `grace` seconds before `runtime` is over, the command gets SIGTERM. If it
ends within `grace` seconds the job exits 85: "go on later". At its run time's end it must.
"""

import contextlib
import ctypes
import fcntl
import importlib
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SPEC = "job.json"
RESULT = "result.json"
TRACEBACK = "traceback.txt"
OUTCOME = "outcome.json"
STDOUT, STDERR = "stdout.txt", "stderr.txt"
LOCK = "job.lock"
# Held free, so that a job that fills its disk can still say so.
ROOM, ROOM_BYTES = ".room", 2**16
FULL_BYTES = 2**20  # with less free, a disk is full
# Outputs on their way to the job's next start. HTCondor brings them back from two places:
# the spool, where an eviction left them, under the first name; the job's folder, where
# exiting to go on later left them, under the second. The newer of them counts.
KEPT, KEPT_BEFORE, KEPT_NUMBER = "kept.tar", "kept-before.tar", ".kept-number"
ROOTFLOW_RESULT = "ROOTFLOW_RESULT"
ROOTFLOW_TRACEBACK = "ROOTFLOW_TRACEBACK"

GO_ON_LATER = 85
OVERTIME = 124
NOT_FOUND = 127
SIGNALLED = 128
DEFAULT_GRACE = 10.0
SECONDS_FOR_LAST_WORDS = 5.0
MASK = b"***"
PATH = "/usr/local/bin:/usr/bin:/bin"

SIGNALS = {signal.SIGTERM, signal.SIGCHLD}
WARNED, OUT_OF_TIME = "SIGTERM", "runtime"
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def run(spec: dict[str, Any]) -> int:
    """Run the job in the working directory, leave its outcome there, return its exit status."""
    outputs, packages = spec.get("outputs", ()), spec.get("packages", {})
    _clear()
    Path(ROOM).write_bytes(b"\0" * ROOM_BYTES)
    number = _restore(outputs) if spec.get("carried") else 0
    _unpack(packages)
    outcome: dict[str, Any] = {"host": platform.node(), "stopped": None}
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # they are waited for, see _wait
    started = time.monotonic()
    if spec.get("secrets"):
        for name in (RESULT, TRACEBACK):
            Path(name).touch(0o600)  # until its secrets are masked
    status = _run_command(spec, outcome)
    Path(ROOM).unlink(missing_ok=True)
    _mask_files(spec)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcome["wall_seconds"] = time.monotonic() - started
    outcome["memory_mib"] = usage.ru_maxrss / 1024
    outcome["cpu_seconds"] = usage.ru_utime + usage.ru_stime
    if spec.get("carried"):
        _leave_out(packages, outputs)
    outcome["missing"] = missing = [name for name in outputs if not Path(name).exists()]
    if status == 0 and missing:
        Path(TRACEBACK).write_text(f"outputs are missing: {', '.join(missing)}\n")
        status = 1
    unexplained = status not in (0, GO_ON_LATER) and not _has_content(TRACEBACK)
    if unexplained and shutil.disk_usage(".").free < FULL_BYTES:
        message = f"no space left in {Path.cwd()} on {platform.node()}: ask for more disk_gib\n"
        Path(TRACEBACK).write_text(message)  # where the job itself found no room to
    if spec.get("carried") and status != 0 and not _keep(outputs, number + 1):
        status = 1
    outcome["exit_code"] = status
    _write(OUTCOME, outcome)
    if spec.get("carried"):
        # HTCondor holds a job when a file that it is to bring is not there.
        for name in (*missing, RESULT, TRACEBACK, KEPT):
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).touch()
    return status


def _unpack(packages: dict[str, str]) -> None:
    """Put what archives hold into their folders, but for what is there already."""
    for folder, package in packages.items():
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tarfile.open(package) as archive:
            for member in archive:
                if not Path(folder, member.name).exists():
                    archive.extract(member, folder, filter="data")


def _leave_out(packages: dict[str, str], outputs: Sequence[str]) -> None:
    """Remove what came with archives and is as it was, so that no output folder carries it."""
    for folder, package in packages.items():
        for path in list(Path(folder).rglob("*")):
            if path.is_symlink() and path.is_dir():
                path.unlink()
            elif path.name == "__pycache__":
                shutil.rmtree(path)
        with tarfile.open(package) as archive:
            for member in archive:
                path = Path(folder, member.name)
                if member.isfile() and path.is_file() and str(path) not in outputs:
                    now = path.stat()
                    if (now.st_size, int(now.st_mtime)) == (member.size, int(member.mtime)):
                        path.unlink()


def _keep(outputs: Sequence[str], number: int) -> bool:
    """Pack the outputs for the job's next start; return whether there was room for them."""
    try:
        Path(KEPT_NUMBER).write_text(str(number))
        with tarfile.open(KEPT, "w") as archive:
            for name in (KEPT_NUMBER, *outputs):
                if Path(name).exists():
                    archive.add(name)
    except OSError as error:
        Path(KEPT).unlink(missing_ok=True)
        if not Path(TRACEBACK).exists():
            Path(TRACEBACK).write_text(f"outputs could not be kept: {error.strerror}\n")
        return False
    return True


def _restore(outputs: Sequence[str]) -> int:
    """Put back the outputs that the job goes on from; return how often that was done."""
    newest, newest_number = None, 0
    for name in (KEPT, KEPT_BEFORE):
        if _has_content(name):
            with tarfile.open(name) as archive:
                archive.extract(KEPT_NUMBER, filter="data")
            number = int(Path(KEPT_NUMBER).read_text())
            if number > newest_number:
                newest, newest_number = name, number
    if newest is not None:
        _remove_all(outputs)  # as an earlier eviction left them
        with tarfile.open(newest) as archive:
            archive.extractall(filter="data")
    _remove_all((KEPT, KEPT_BEFORE, KEPT_NUMBER))
    return newest_number


def _remove_all(names: Sequence[str]) -> None:
    for name in names:
        if Path(name).is_dir():
            shutil.rmtree(name)
        else:
            Path(name).unlink(missing_ok=True)


def _clear() -> None:
    """Remove what an earlier start left about how it ended."""
    if Path(OUTCOME).exists():
        missing = json.loads(Path(OUTCOME).read_text())["missing"]
        _remove_all([name for name in missing if Path(name).is_file() and not _has_content(name)])
    _remove_all((OUTCOME, RESULT, TRACEBACK))


def _has_content(name: str) -> bool:
    return Path(name).exists() and Path(name).stat().st_size > 0


def _run_command(spec: dict[str, Any], outcome: dict[str, Any]) -> int:
    secrets = [text.encode() for text in spec.get("secrets", ())]
    try:
        child = subprocess.Popen(  # noqa: S603 - the job's own command
            spec["command"],
            env=_environment(spec.get("environment", {})),
            start_new_session=True,  # so that the warning reaches all of its processes
            preexec_fn=_in_child,
            stdout=subprocess.PIPE if secrets else None,
            stderr=subprocess.PIPE if secrets else None,
        )
    except OSError as error:
        Path(TRACEBACK).write_text(f"{spec['command'][0]}: {error.strerror}\n")
        return NOT_FOUND
    with _masking(child, secrets):
        return _end_of(child, spec, outcome)


def _end_of(child: "subprocess.Popen[bytes]", spec: dict[str, Any], outcome: dict[str, Any]) -> int:
    """Return the exit status of the command, which is warned in time for its end."""
    grace = spec.get("grace") or DEFAULT_GRACE
    runtime = spec.get("runtime")
    outcome["stopped"] = _wait(child, max(runtime - grace, runtime / 2) if runtime else 1e9)
    if outcome["stopped"] is None:
        return child.returncode if child.returncode >= 0 else SIGNALLED - child.returncode
    os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if outcome["stopped"] == OUT_OF_TIME:
            message = f"the job ran for {runtime} s and did not stop within {grace} s of SIGTERM\n"
            Path(TRACEBACK).write_text(message)
            return OVERTIME
    return GO_ON_LATER


@contextlib.contextmanager
def _masking(child: "subprocess.Popen[bytes]", secrets: Sequence[bytes]) -> Iterator[None]:
    """Write what the command says, without secrets, where this process says something."""
    pipes = [(pipe, to) for pipe, to in ((child.stdout, 1), (child.stderr, 2)) if pipe is not None]
    threads = [
        threading.Thread(target=_mask, args=(pipe.fileno(), to, secrets), daemon=True)
        for pipe, to in pipes
    ]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(SECONDS_FOR_LAST_WORDS)  # what it left in the background may say more


def _mask_files(spec: dict[str, Any]) -> None:
    """Leave out secrets of what the command has left, which others may read from then on."""
    secrets = [text.encode() for text in spec.get("secrets", ())]
    for path in map(Path, (RESULT, TRACEBACK) if secrets else ()):
        if path.exists():
            path.write_bytes(_without(path.read_bytes(), secrets))
            path.chmod(0o644)


def _mask(source: int, target: int, secrets: Sequence[bytes]) -> None:
    held = b""
    while said := os.read(source, 2**16):
        said = _without(held + said, secrets)
        # What may be the beginning of a secret waits for the rest.
        longest = max(map(len, secrets))
        beginnings = (said[-n:] for n in range(min(len(said), longest - 1), 0, -1))
        held = next((end for end in beginnings if any(s.startswith(end) for s in secrets)), b"")
        _say(target, said[: len(said) - len(held)])
    _say(target, held)


def _without(text: bytes, secrets: Sequence[bytes]) -> bytes:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _say(target: int, text: bytes) -> None:
    with contextlib.suppress(OSError):  # a full disk is said of the job
        while text:
            text = text[os.write(target, text) :]


def _wait(child: "subprocess.Popen[bytes]", seconds: float) -> str | None:
    """Return None when the child has ended, else why it must end now."""
    deadline = time.monotonic() + seconds
    while child.poll() is None:
        left = deadline - time.monotonic()
        if left <= 0:
            return OUT_OF_TIME
        news = signal.sigtimedwait(SIGNALS, left)
        if news is not None and news.si_signo == signal.SIGTERM:
            return WARNED
    return None


def _in_child() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _environment(given: dict[str, str]) -> dict[str, str]:
    environment = dict(os.environ)
    # `python` is this one: that of the environment the job was submitted for.
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', PATH)}"
    environment.setdefault("HOME", str(Path.cwd()))
    environment[ROOTFLOW_RESULT] = str(Path(RESULT).absolute())
    environment[ROOTFLOW_TRACEBACK] = str(Path(TRACEBACK).absolute())
    return {**environment, **given}


def call(spec: dict[str, Any]) -> None:
    """Call the `function` ("module:name") of a job, and leave what it returns or its traceback."""
    sys.path[:1] = [str(Path.cwd()), *spec["path"]]
    module, _, name = spec["function"].partition(":")
    try:
        answer = getattr(importlib.import_module(module), name)(**spec["arguments"])
        _write(os.environ[ROOTFLOW_RESULT], answer)
    except BaseException:
        Path(os.environ[ROOTFLOW_TRACEBACK]).write_text(traceback.format_exc())
        raise


def _write(name: str, content: Any) -> None:
    partial = Path(f"{name}.partial")
    partial.touch(Path(name).stat().st_mode & 0o777 if Path(name).exists() else 0o666)
    partial.write_text(json.dumps(content))
    partial.replace(name)


def detach() -> None:
    """Go on in a process of its own, alone in this folder; return in that process only.

    The lock file, which has its number, is held as long as it lives: by that others know.
    """
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    if child := os.fork():
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(child).encode())
        os._exit(0)
    os.setsid()
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, STDOUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, STDERR, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        os.dup2(os.open(name, flags, 0o644), number)


def main(arguments: list[str]) -> None:
    """Run the job, or in its child process call its function."""
    spec = json.loads(Path(arguments[-1]).read_text())
    if arguments[0] == "--call":
        call(spec)
        return
    if arguments[0] == "--detach":
        detach()
    sys.exit(run(spec))


if __name__ == "__main__":
    main(sys.argv[1:])
