"""Files: output that is there whole or not at all, and input that is not."""

import errno
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError

# What numpy raises where a .npy file is not as it was written: it reads its head as Python.
NO_ARRAY = (OSError, EOFError, ValueError, TypeError, LookupError, SyntaxError, TokenError)
PARTIAL = ".partial-"
LOCK = ".lock"


def read_bytes(path: Path) -> bytes:
    """Return the content of a file; a device or a pipe is not waited for."""
    require_no_device(path)
    return path.read_bytes()


def require_no_device(path: Path) -> None:
    """Refuse what may never end, and what no file can be named, as OSError.

    All else is left to who opens it.
    """
    try:
        mode = path.stat().st_mode
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have such a name", str(path)) from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", str(path))


@contextmanager
def alone_in(directory: Path, lock: str = LOCK) -> Iterator[None]:
    """Wait until no other process works in the same directory, on whichever machine.

    The lock file stays: were it removed, two processes could hold one each.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # Opened for writing: network file systems ask for that, to lock for all machines.
    with (directory / lock).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def whole_directory(target: Path) -> Iterator[Path]:
    """Yield an empty directory that becomes `target` when the block ends well.

    Until then it has a temporary name beside `target`; it is removed when the block
    raises. Where another process made `target` meanwhile, that one stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}{PARTIAL}", dir=target.parent))
    partial.chmod(0o755)
    try:
        yield partial
        try:
            partial.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def whole_file(target: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield a path to write to, which becomes `target` when the block ends well.

    None but its owner reads a private one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays: libraries choose the format by it.
    partial = target.with_name(f".{target.stem}{PARTIAL}{os.getpid()}{target.suffix}")
    if private:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def cache() -> Path:
    """Return the folder for what can be had again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rootflow"
