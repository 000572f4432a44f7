"""The name of the question that a dataset answers."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from rootflow.config.block import Block
from rootflow.config.data import DataConfig
from rootflow.config.digest import digest_of
from rootflow.dataset.manifest import DATASET_VERSION
from rootflow.errors import InputError
from rootflow.files import whole_file
from rootflow.ntuple import BranchMap, load_branch_map

REMEMBERED = "file-digests.json"


class FileContent(NamedTuple):
    """What a file holds, whatever its name."""

    bytes: int
    sha256: str


class _Remembered(Block):
    bytes: int
    mtime_ns: int
    sha256: str


_MEMORY = TypeAdapter(dict[str, _Remembered])


def digest(config: DataConfig, files: Sequence[Path], memory: Path | None = None) -> str:
    """Return the name of the dataset that these files and settings make.

    It changes with whatever changes an array: the content of the files and their order,
    what the branch map says, the selection, max_jets, the folds, the scale of the
    weights, and the version of rootflow's datasets. It does not depend on names of files
    or maps, on which fold is held out, or on what training does with negative weights.

    Parameters
    ----------
    memory
        A directory that remembers the digests of files by path, size and time of change,
        so that each is read once.

    Raises
    ------
    InputError
        A file cannot be read or is given twice, or the memory cannot be written.
    UsageError
        There is no such branch map.
    """
    return name_of(config, load_branch_map(config.branch_map), file_contents(files, memory))


def name_of(config: DataConfig, branch_map: BranchMap, contents: Sequence[FileContent]) -> str:
    """Return the name of the dataset that files of these contents make."""
    question = {
        "dataset_version": DATASET_VERSION,
        "files": [content.sha256 for content in contents],
        "branch_map": branch_map.model_dump(mode="json"),
        "max_jets": config.max_jets,
        "selection": config.selection.model_dump(mode="json"),
        "folds": config.folds.model_dump(mode="json", exclude={"held_out"}),
        "weights": config.weights.model_dump(mode="json", exclude={"negative"}),
    }
    return digest_of(question)


def file_contents(files: Sequence[Path], memory: Path | None = None) -> list[FileContent]:
    """Return size and SHA-256 of each file.

    Raises
    ------
    InputError
        A file cannot be read, or two have the same content.
    """
    remembered = {} if memory is None else _recall(memory / REMEMBERED)
    known = dict(remembered)
    contents = [_content(path, known) for path in files]
    if memory is not None and known != remembered:
        _remember(memory / REMEMBERED, known)
    first_of: dict[str, Path] = {}
    for path, content in zip(files, contents, strict=True):
        if content.sha256 in first_of:
            raise InputError(
                f"{path}: has the same content as {first_of[content.sha256]}: "
                f"its events would count twice"
            )
        first_of[content.sha256] = path
    return contents


def _recall(path: Path) -> dict[str, _Remembered]:
    try:
        return _MEMORY.validate_json(path.read_bytes())
    except (OSError, ValidationError):  # only a memory: what it does not tell is read again
        return {}


def _remember(path: Path, known: dict[str, _Remembered]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path.parent}: cannot make this directory: {error.strerror}") from None
    try:
        with whole_file(path) as partial:
            partial.write_bytes(_MEMORY.dump_json(known, indent=1))
    except OSError as error:
        raise InputError(f"{path}: cannot write it: {error.strerror}") from None


def _content(path: Path, known: dict[str, _Remembered]) -> FileContent:
    try:
        status = path.stat()
        name = str(path.resolve())
        entry = known.get(name)
        if entry is None or (entry.bytes, entry.mtime_ns) != (status.st_size, status.st_mtime_ns):
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            entry = _Remembered(bytes=status.st_size, mtime_ns=status.st_mtime_ns, sha256=sha256)
            known[name] = entry
    except OSError as error:
        raise InputError(f"{path}: cannot read it: {error.strerror}") from None
    return FileContent(entry.bytes, entry.sha256)
