"""The names of the question that a dataset answers, and of what a training can see of it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from rootflow.checksum import read_sealed, sealed_json
from rootflow.config.block import Block, digest_of
from rootflow.config.data import DataConfig
from rootflow.dataset.arrays import EVENTS_AT_ONCE, header, map_array
from rootflow.dataset.events import DATA
from rootflow.dataset.looks import looked_at, with_friends
from rootflow.dataset.manifest import DATASET_VERSION, Array
from rootflow.dataset.reading import Reading
from rootflow.dataset.samples import SamplePlan, plans
from rootflow.errors import InputError
from rootflow.files import whole_file
from rootflow.ntuple import Feature
from rootflow.ntuple.sums_of_weights import BesideEvents
from rootflow.places import Place
from rootflow.places.access import name_and_status
from rootflow.places.content import ALGORITHM as ADLER32
from rootflow.places.content import ToldBy, adler32_of
from rootflow.sources import dataset_code

REMEMBERED = "file-digests.json"


class FileContent(Block):
    """What a file holds, whatever its name: how much, and its checksum, ALGORITHM:DIGITS.

    The checksum was told by the server that has the file, or the file was read for it. What
    `changed` says is another when the file is changed; nothing of a server that does not tell. Of
    the files with friends of its tree, it is what they hold.
    """

    bytes: int
    changed: str
    checksum: str
    checksum_from: ToldBy
    friends: tuple[tuple[int, str], ...] = ()

    @property
    def holds(self) -> tuple[int, str]:
        """What is the same of files with the same content."""
        return self.bytes, self.checksum


_MEMORY = TypeAdapter(dict[str, FileContent])


class Contents:
    """Sizes and checksums of files, remembered in a directory by place, size and time of change.

    So many threads read an input for that.
    """

    def __init__(self, memory: Path | None = None, threads: int = 1) -> None:
        self._threads = threads
        self._memory = memory and memory / REMEMBERED
        self._remembered = {} if self._memory is None else _recall(self._memory)
        self._known = dict(self._remembered)

    def of(self, place: Place) -> FileContent:
        """Return what an input holds: its Adler-32, the same wherever it is."""
        return self._of(place, ADLER32, lambda file: adler32_of(file, self._threads))

    def sha256_of(self, path: Path) -> str:
        """Return the SHA-256 of a file that rootflow writes."""
        return self._of(path, "sha256", _sha256).checksum.partition(":")[2]

    def wrote(self, path: Path, sha256: str) -> None:
        """Know the SHA-256 of a file that was just written, which is not read for it again."""
        name, now = name_and_status(path)
        self._known[name] = FileContent(
            bytes=now.bytes,
            changed=now.changed,
            checksum=f"sha256:{sha256}",
            checksum_from="read",
        )

    def known(self) -> dict[str, Any]:
        """Return what is known of files as plain data, for others to learn."""
        known: dict[str, Any] = _MEMORY.dump_python(self._known, mode="json")
        return known

    def learn(self, known: Mapping[str, Any]) -> None:
        """Know what others do, who have read files."""
        self._known |= _MEMORY.validate_python(known)

    def has(self, place: Place) -> bool:
        """Return whether it is known what an input holds, without a look into it."""
        name, now = name_and_status(place)
        entry = self._known.get(name)
        return entry is not None and bool(now.changed) and (entry.bytes, entry.changed) == now

    def _of(
        self, place: Place, algorithm: str, checksum_of: Callable[[Any], tuple[str, ToldBy]]
    ) -> FileContent:
        try:
            name, now = name_and_status(place)
            entry = self._known.get(name)
            if (
                entry is None
                or not now.changed
                or (entry.bytes, entry.changed) != now
                or not entry.checksum.startswith(f"{algorithm}:")
            ):
                checksum, told_by = checksum_of(place)
                entry = FileContent(
                    bytes=now.bytes,
                    changed=now.changed,
                    checksum=f"{algorithm}:{checksum}",
                    checksum_from=told_by,
                )
                self._known[name] = entry
        except OSError as error:
            raise InputError(f"{place}: cannot read it: {error.strerror}") from None
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


def _sha256(path: Path) -> tuple[str, ToldBy]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), "read"


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
    "bad_files": True,
    "workers": True,
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
    files: Mapping[str, Sequence[Place]],
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
    skips = config.bad_files == "skip"
    planned = looked_at(planned, config.bad_files) if skips else with_friends(planned)
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
            {
                "name": plan.name,
                "files": [[*content.holds, *content.friends] for content in of_plan],
                **plan.question,
            }
            for plan, of_plan in zip(plans, contents, strict=True)
        ],
    }
    return digest_of(question)


def file_contents(
    plans: Sequence[SamplePlan], memory: Path | None = None, threads: int = 1
) -> list[list[FileContent]]:
    """Return what each file of each plan holds, and its friends.

    No two may hold the same, unless that is nothing: skims without events are alike.
    """
    known = Contents(memory, threads)
    contents = [[_with_friends(plan, path, known) for path in plan.files] for plan in plans]
    known.keep()
    first_of: dict[tuple[int, str], Place] = {}
    for plan, of_plan in zip(plans, contents, strict=True):
        for path, content in zip(plan.files, of_plan, strict=True):
            holds = content.holds
            if holds in first_of and not _holds_nothing(plan, path):
                raise InputError(
                    f"{path}: has the same content as {first_of[holds]}: "
                    f"its events would count twice"
                )
            first_of[holds] = path
    return contents


def _holds_nothing(plan: SamplePlan, path: Place) -> bool:
    """Return whether a file has neither events nor a sum of weights beside them."""
    if isinstance(plan.reader.branch_map.sum_of_weights, BesideEvents):
        return False
    with plan.reader.open(path) as table:
        return table.entries == 0


def _with_friends(plan: SamplePlan, path: Place, known: Contents) -> FileContent:
    friends = tuple(known.of(friend).holds for friend in plan.friends.get(path, ()))
    content = known.of(path)
    return content.model_copy(update={"friends": friends}) if friends else content


def digest_of_simulation(
    directory: Path, arrays: Mapping[str, Array], features: Mapping[str, Sequence[Feature]]
) -> str:
    """Return a digest of all that a training can see of the simulated events of a dataset.

    These are their arrays, in their order, the numbers that decide their folds, and the names and
    units of the features, and with what these change their signs. Collisions beside them do not
    change it, nor do names and titles of samples and files. It is made of the SHA-256 of the files
    that simulation alone has: where there are no collisions, those that the arrays say.
    """
    named = {
        collection: [
            (feature.name, feature.unit, *feature.changes_with) for feature in of_collection
        ]
        for collection, of_collection in features.items()
    }
    decides_folds = "fold_number" if "fold_number" in arrays else "event_number"
    # Collisions may have made these numbers of another type, or have others for their folds.
    learnt_from = {"folds": (decides_folds, "<u8")} | {
        name: (name, array.dtype) for name, array in arrays.items() if name not in NOT_LEARNT_FROM
    }
    simulated = _simulated(directory, arrays)
    files = {
        called: arrays[name].sha256
        if simulated is None and arrays[name].dtype == dtype
        else _sha256_of_events(directory, name, arrays[name], np.dtype(dtype), simulated)
        for called, (name, dtype) in learnt_from.items()
    }
    return digest_of({"features": named, "files": files})


def _simulated(directory: Path, arrays: Mapping[str, Array]) -> NDArray[np.bool_] | None:
    """Return (n,) which events are simulated, None if all are."""
    if "label" not in arrays:
        return None
    simulated = map_array(directory, "label", arrays["label"]) != DATA
    return None if simulated.all() else simulated


def _sha256_of_events(
    directory: Path,
    name: str,
    array: Array,
    dtype: np.dtype[Any],
    chosen: NDArray[np.bool_] | None,
) -> str:
    """Return the SHA-256 of the file that has the chosen events of an array alone, as a type."""
    events = array.shape[0] if chosen is None else np.count_nonzero(chosen)
    digest = hashlib.sha256(header(dtype, (int(events), *array.shape[1:])))
    for start in range(0, array.shape[0], EVENTS_AT_ONCE):
        part = slice(start, start + EVENTS_AT_ONCE)
        # Opened anew each time, so that what was read does not stay in memory.
        block = map_array(directory, name, array)[part]
        if chosen is not None:
            block = block[chosen[part]]
        digest.update(np.ascontiguousarray(block.astype(dtype, copy=False)).data)
    return digest.hexdigest()
