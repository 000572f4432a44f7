"""The names of the question that a dataset answers, and of what a training can see of it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from rootflow.checksum import read_sealed, sealed_json
from rootflow.config.block import Block, digest_of
from rootflow.config.data import DataConfig
from rootflow.dataset.arrays import EVENTS_AT_ONCE, map_array
from rootflow.dataset.events import DATA
from rootflow.dataset.manifest import DATASET_VERSION, Array
from rootflow.dataset.reading import Reading
from rootflow.dataset.samples import SamplePlan, plans
from rootflow.errors import InputError
from rootflow.files import require_no_device, whole_file
from rootflow.ntuple import Feature
from rootflow.sources import dataset_code

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


# Settings that leave the arrays as they are, or that the samples'
# own part of the question says.
CHANGES_NO_ARRAY: Mapping[str, bool | set[str]] = {
    "files": True,
    "samples": True,
    "branch_map": True,
    "copies": True,
    "folds": {"held_out"},
    "weights": {"negative", "class_balance"},
}
# Which event it is, of which file and sample, and what weights it has beside the nominal one.
NOT_LEARNT_FROM = (
    *("event_number", "fold_number", "fold", "identity"),
    *("file_index", "sample", "systematic_weights"),
)


def digest(
    config: DataConfig,
    files: Mapping[str, Sequence[Path]],
    reading: Reading,
    memory: Path | None = None,
) -> str:
    """Return the name of the dataset that these files and settings make.

    It changes with whatever changes an array or what the manifest says of samples: the
    content of the files and their order, names, labels and titles of labelled samples,
    what the branch maps say, what the analysis keeps and cuts, derived features, the folds,
    the scale of the weights, the code that makes such a dataset, and the version of the format
    of datasets. It does not depend on names of files or maps, on which fold is held out,
    or on what training does with weights. `memory` is a directory that remembers the digests of
    files by path, size and time of change, so that each is read once.

    Raises
    ------
    InputError
        A file cannot be read or is given twice, or the memory cannot be written.
    UsageError
        There is no such branch map, or the settings ask for what it does not name.
    """
    planned = plans(config, files, reading)
    return name_of(config, planned, file_contents(planned, memory), reading)


def name_of(
    config: DataConfig,
    plans: Sequence[SamplePlan],
    contents: Sequence[Sequence[FileContent]],
    reading: Reading,
) -> str:
    """Return the name of the dataset that files of these contents make."""
    question = {
        "dataset_version": DATASET_VERSION,
        "code": dataset_code(reading.kind),
        "reading": reading.model_dump(mode="json"),
        "settings": config.model_dump(mode="json", exclude=dict(CHANGES_NO_ARRAY)),
        "samples": [
            {"name": plan.name, "files": [content.sha256 for content in of_plan], **plan.question}
            for plan, of_plan in zip(plans, contents, strict=True)
        ],
    }
    return digest_of(question)


def file_contents(
    plans: Sequence[SamplePlan], memory: Path | None = None
) -> list[list[FileContent]]:
    """Return size and SHA-256 of each file of each plan; no two may have the same content."""
    known = Contents(memory)
    contents = [[known.of(path) for path in plan.files] for plan in plans]
    known.keep()
    first_of: dict[str, Path] = {}
    for plan, of_plan in zip(plans, contents, strict=True):
        for path, content in zip(plan.files, of_plan, strict=True):
            if content.sha256 in first_of:
                raise InputError(
                    f"{path}: has the same content as {first_of[content.sha256]}: "
                    f"its events would count twice"
                )
            first_of[content.sha256] = path
    return contents


def digest_of_simulation(
    directory: Path, arrays: Mapping[str, Array], features: Mapping[str, Sequence[Feature]]
) -> str:
    """Return a digest of all that a training can see of the simulated events of a dataset.

    These are their arrays, in their order, the numbers that decide their folds, and the names and
    units of the features, and with what these change their signs. Collisions beside them do not
    change it, nor do names and titles of samples and files.
    """
    named = {
        collection: [
            (feature.name, feature.unit, *feature.changes_with) for feature in of_collection
        ]
        for collection, of_collection in features.items()
    }
    digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode())
    decides_folds = "fold_number" if "fold_number" in arrays else "event_number"
    # Collisions may have made these numbers of another type, or have others for their folds.
    learnt_from = {"folds": (decides_folds, "<u8")} | {
        name: (name, array.dtype) for name, array in arrays.items() if name not in NOT_LEARNT_FROM
    }
    for called, (name, dtype) in sorted(learnt_from.items()):
        array = arrays[name]
        digest.update(json.dumps([called, dtype, array.shape[1:]]).encode())
        for start in range(0, array.shape[0], EVENTS_AT_ONCE):
            part = slice(start, start + EVENTS_AT_ONCE)
            # Opened anew each time, so that what was read does not stay in memory.
            block = map_array(directory, name, array)[part]
            if "label" in arrays:
                block = block[map_array(directory, "label", arrays["label"])[part] != DATA]
            digest.update(np.ascontiguousarray(block.astype(dtype, copy=False)).data)
    return digest.hexdigest()[:16]
