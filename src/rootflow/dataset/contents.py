"""What files hold, read once as long as they do not change."""

import hashlib
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from rootflow.checksum import read_sealed, sealed_json
from rootflow.config.block import Block
from rootflow.errors import InputError
from rootflow.files import require_no_device, whole_file

REMEMBERED = "file-digests.json"


class FileContent(Block):
    """What a file holds, whatever its name, and when it was changed."""

    bytes: int
    mtime_ns: int
    sha256: str


_MEMORY = TypeAdapter(dict[str, FileContent])


class Contents:
    """Sizes and SHA-256 of files, which a directory remembers by path, size and time of change."""

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory and memory / REMEMBERED
        self._remembered = {} if self._memory is None else _recall(self._memory)
        self._known = dict(self._remembered)

    def of(self, path: Path) -> FileContent:
        """Return what a file holds."""
        try:
            require_no_device(path)
            status = path.stat()
            name = str(path.resolve())
            entry = self._known.get(name)
            now = (status.st_size, status.st_mtime_ns)
            if entry is None or (entry.bytes, entry.mtime_ns) != now:
                with path.open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                entry = FileContent(bytes=now[0], mtime_ns=now[1], sha256=sha256)
                self._known[name] = entry
        except OSError as error:
            raise InputError(f"{path}: cannot read it: {error.strerror}") from None
        return entry

    def keep(self) -> None:
        """Have the memory remember what is new."""
        if self._memory is None or self._known == self._remembered:
            return
        folder = self._memory.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot make this directory: {error.strerror}") from None
        try:
            with whole_file(self._memory) as partial:
                partial.write_bytes(sealed_json(_MEMORY.dump_json(self._known, indent=1).decode()))
        except OSError as error:
            raise InputError(f"{self._memory}: cannot write it: {error.strerror}") from None


def _recall(path: Path) -> dict[str, FileContent]:
    try:
        return _MEMORY.validate_json(read_sealed(path, "remove it"))
    except (InputError, ValidationError):  # only a memory: what it does not tell is read again
        return {}
