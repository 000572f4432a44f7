"""Events that are there more than once: found, and then refused, dropped or kept."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.arrays import EVENTS_AT_ONCE, SUFFIX, ArrayWriters
from rootflow.dataset.event_reader import Cutflow, Selected
from rootflow.dataset.folds import mix
from rootflow.dataset.samples import SamplePlan
from rootflow.dataset.weights import EACH_ONCE, ReadFile
from rootflow.errors import InputError
from rootflow.ntuple import Chunk
from rootflow.ntuple.columns import LACKING, Identity, in_words, structured
from rootflow.ntuple.features import MOMENTUM
from rootflow.ntuple.objects import Objects, Places
from rootflow.places import Place

LARGEST_SIGNED = np.iinfo(np.int64).max
NUMBERS_AT_ONCE = 2_000_000
FACTORS = mix(np.arange(256, dtype=np.uint64)) | np.uint64(1)


class RepeatedEvents(NamedTuple):
    """How many events of a sample were there before."""

    dropped: int = 0
    kept: int = 0


class AllEvents:
    """What is kept on disk of all events that are read, until it is known which are repeated.

    An event repeats one before it that has the same number and the same momenta to the last bit, in
    whichever file; that has the same identity in the same file; or, in collisions, the same
    identity in another file, where that is more than a number.
    """

    def __init__(self, directory: Path, plans: Sequence[SamplePlan]) -> None:
        self._directory = directory
        self._plans = plans
        self._names = identifying(plans)
        self._there: set[str] = set()
        self._files: list[tuple[int, Place]] = []
        self._starts: list[int] = []
        self._events = 0
        self._writers = ArrayWriters(directory)
        self._negative = self._large = False

    def __enter__(self) -> Self:
        self._directory.mkdir()
        return self

    def __exit__(self, *error: object) -> None:
        self._writers.close()
        shutil.rmtree(self._directory)

    def begin(self, sample: int, path: Place) -> None:
        """Say which file the next events are of."""
        self._files.append((sample, path))
        self._starts.append(self._events)

    def add(self, part: "PartOfAll") -> None:
        """Keep what there is of the next events, as `part_of_all` has it."""
        self._negative |= part.negative
        self._large |= part.large
        if self._negative and self._large:
            raise InputError(
                f"{self._files[-1][1]}: its event numbers, or those of files before, are negative "
                f"and 2^63 or more: no type of integers holds both"
            )
        self._there.update(part.there)
        self._events += part.events
        self._writers.write(part.arrays, self._events)

    def without_repeats(
        self, files: Sequence[Sequence[ReadFile]], threads: int
    ) -> tuple[list[list[ReadFile]], list[RepeatedEvents]]:
        """Return the files of each sample, without what is dropped, and how much there is of it."""
        self._writers.close()
        policies = np.array([plan.repeated_events for plan in self._plans])
        with ThreadPoolExecutor(threads) as pool:
            pairs = list(pool.map(repeats, map(self._mapped, ("identity", "content"))))
        first, again = (np.concatenate(places) for places in zip(*pairs, strict=True))
        either = np.stack([policies[self._samples_of(first)], policies[self._samples_of(again)]])
        refused = np.any(either == "refuse", axis=0)
        if refused.any():
            raise self._refused(first[refused], again[refused])
        dropped = np.unique(again[np.any(either == "drop", axis=0)])
        self._left = np.ones(self._events, dtype=np.bool_)
        self._left[dropped] = False
        if len(dropped):
            place = iter(range(len(self._files)))
            files = [[self._without(file, next(place)) for file in sample] for sample in files]
        counts = [
            np.bincount(self._samples_of(places), minlength=len(self._plans)).tolist()
            for places in (dropped, np.setdiff1d(again, dropped))
        ]
        return list(map(list, files)), [RepeatedEvents(*pair) for pair in zip(*counts, strict=True)]

    def finish(self, writers: ArrayWriters) -> None:
        """Leave only what is not dropped in the arrays of the selected events; add `identity`."""
        selected = self._mapped("selected")
        if not self._left.all():
            for writer in writers.writers.values():
                writer.keep(self._left[selected])
        writers.writers["event_number"].dtype = self._number_type
        names = [name for name in self._names if name in self._there]
        done = 0
        for start in range(0, self._events if names else 0, EVENTS_AT_ONCE):
            part = slice(start, start + EVENTS_AT_ONCE)
            left = selected[part] & self._left[part]
            columns = {name: self._mapped(_column(name))[part][left] for name in names}
            done += int(left.sum())
            writers.write({"identity": structured(columns)}, done)

    def _mapped(self, name: str) -> NDArray[Any]:
        array: NDArray[Any] = np.load(self._directory / f"{name}{SUFFIX}", mmap_mode="r")
        return array

    def _files_of(self, places: Places) -> Places:
        return np.searchsorted(self._starts, places, side="right") - 1

    def _samples_of(self, places: Places) -> Places:
        return np.array([sample for sample, _ in self._files])[self._files_of(places)]

    @property
    def _number_type(self) -> np.dtype[Any]:
        """The type in which event numbers are what the ntuples show."""
        return np.dtype(np.int64 if self._negative else np.uint64)

    def _without(self, file: ReadFile, place: int) -> ReadFile:
        """Return a file, the one at this place, without its events that are dropped."""
        start, stop = [*self._starts, self._events][place : place + 2]
        part = slice(start, stop)
        dropped = ~self._left[part]
        passed = self._mapped("passed")[part][dropped]
        weight = self._mapped("weight")[part][dropped]
        left: Cutflow = {}
        for cuts, (name, (events, total)) in enumerate(file.cutflow.items()):
            fails = passed > cuts
            without = events - int(fails.sum()), total - float(weight[fails].sum())
            if cuts == 0:
                left |= {name: (events, total), EACH_ONCE: without}
            else:
                left[name] = without
        return file._replace(cutflow=left)

    def _refused(self, first: Places, again: Places) -> InputError:
        place = int(np.argmin(again))
        one, other = int(first[place]), int(again[place])
        file_of_one, file = self._files_of(np.array([one, other]))
        sample, path = self._files[file]
        of_file = len(np.unique(again[self._files_of(again) == file]))
        events = [*self._starts[file:], self._events][1] - self._starts[file]
        count = f"{of_file:,} of its {events:,} events"
        beside = {name: self._mapped(_column(name)) for name in self._names}
        event = in_words(self._mapped("number").view(self._number_type), beside, other)
        if file_of_one == file:
            return InputError(
                f"{path}: {event} occurs more than once; {count} repeat one before: name what "
                f"tells them apart (the run, the job of a generator) under 'identity' in the "
                f"branch map {self._plans[sample].branch_map}, or say "
                f"data.repeated_events=drop or keep"
            )
        return InputError(
            f"{path}: {event} is in {self._files[file_of_one][1]}, too; {count} are in files "
            f"before it: leave one out, or say data.repeated_events=drop or keep"
        )


class PartOfAll(NamedTuple):
    """What is kept of all n events of a chunk: (n,) arrays by name, empty where they are written.

    `there` are the branches of the identity that the file has; `negative` and `large` say whether
    any number is less than zero, or more than a signed one can be.
    """

    events: int
    arrays: dict[str, NDArray[Any]]
    there: tuple[str, ...]
    negative: bool
    large: bool


def identifying(plans: Sequence[SamplePlan]) -> tuple[str, ...]:
    """Return the branches that identify events beside their number, in any sample."""
    columns = (column for plan in plans for column in plan.reader.whole.beside_number())
    return tuple(dict.fromkeys(column.branch for column in columns))


def part_of_all(
    chunk: Chunk, selected: Selected, plan: SamplePlan, file: int, names: Sequence[str]
) -> PartOfAll:
    """Return what is kept of the events of a chunk, and which of them are selected.

    `file` is the place of the file among all, and `names` are those of `identifying`.
    """
    identity, reading = chunk.rows.identity, plan.reader.reading
    number = identity.number
    everywhere = plan.sample.are_collisions and bool(identity.beside)
    lacking = np.full(len(chunk), LACKING, dtype=np.int64)
    measured = [chunk.objects[name] for name in reading.kept()]
    arrays = {
        "number": number.astype(np.uint64),
        "identity": identity_of(identity, None if everywhere else file),
        "content": content_of(identity, measured, chunk.met if reading.met else None),
        "weight": chunk.weight,
        "passed": selected.passed,
        "selected": selected.passed == len(selected.cutflow),
        **{
            _column(name): identity.beside.get(name, lacking).astype(np.int64, copy=False)
            for name in names
        },
    }
    return PartOfAll(
        len(chunk),
        arrays,
        there=tuple(identity.beside),
        negative=bool(len(number) and number.min() < 0),
        large=bool(len(number) and number.max() > LARGEST_SIGNED),
    )


def _column(name: str) -> str:
    return f"identity.{name}"


def content_of(
    identity: Identity, objects: Sequence[Objects], met: NDArray[np.float32] | None = None
) -> NDArray[np.uint64]:
    """Return (n,) a hash of the number and all momenta of each event, 0 of one without objects.

    Neither the order of objects nor weights, truth or identification change it: an event stays
    who it is. The number of a row is not looked at.
    """
    seed = np.zeros_like(identity.number) if identity.of_row else identity.number
    found = mix(seed)
    counts = np.zeros(len(found), dtype=np.int64)
    for kind, table in enumerate(objects):
        momenta = [table.columns[name] for name in MOMENTUM]
        running = np.append(np.uint64(0), np.cumsum(mix(_combined(momenta) + FACTORS[kind])))
        found += np.diff(running[table.offsets])
        counts += table.counts()
    if met is not None:
        found += mix(_combined(met.T))
    found[counts == 0] = 0
    return found


def identity_of(identity: Identity, file: int | None) -> NDArray[np.uint64]:
    """Return (n,) a hash of the number and the rest of the identity of each event.

    Without a file, the same identity in two files is the same event.
    """
    found = mix(identity.number)
    for name, values in sorted(identity.beside.items()):
        found = mix(found + values.astype(np.uint64) + np.uint64(crc32(name.encode())))
    return found if file is None else mix(found + np.uint64(file))


def _combined(columns: Iterable[NDArray[np.float32]]) -> NDArray[np.uint64]:
    """Return (n,) the bits of n numbers of several columns as one number."""
    bits = (np.ascontiguousarray(column).view(np.uint32) for column in columns)
    return reduce(
        lambda found, part: np.add(found, part, out=found),
        (column * factor for column, factor in zip(bits, FACTORS, strict=False)),
    )


def repeated_numbers(directory: Path) -> int:
    """Return how many event numbers the events of more than one file of a dataset have.

    The numbers are looked at in parts of bounded size, the same number always in the same part.
    """
    numbers = np.load(directory / f"event_number{SUFFIX}", mmap_mode="r")
    files = np.load(directory / f"file_index{SUFFIX}", mmap_mode="r")
    repeated = 0
    for places in parted(numbers):
        rising = np.sort(numbers[places])
        if not np.any(rising[1:] == rising[:-1]):
            continue
        number, file = numbers[places], files[places]
        order = np.lexsort((file, number))
        same_number = number[order][1:] == number[order][:-1]
        other_file = same_number & (file[order][1:] != file[order][:-1])
        repeated += len(np.unique(number[order][1:][other_file]))
    return repeated


def repeats(keys: NDArray[np.uint64]) -> tuple[Places, Places]:
    """Return where a key (n,) was before, and for each such place the first one of that key.

    They are looked at in parts of bounded size; those of 0 are never the same.
    """
    first, again = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for places in parted(keys):
        key = keys[places]
        rising = np.sort(key)
        if not np.any((rising[1:] == rising[:-1]) & (rising[1:] != 0)):
            continue  # as nearly always, and known in a fraction of the time
        order = np.argsort(key, kind="stable")
        same = np.zeros(len(key), dtype=np.bool_)
        same[1:] = (key[order][1:] == key[order][:-1]) & (key[order][1:] != 0)
        beginning = np.maximum.accumulate(np.where(same, 0, np.arange(len(key))))
        first.append(places[order][beginning[same]])
        again.append(places[order][same])
    return np.concatenate(first), np.concatenate(again)


def parted(numbers: NDArray[np.uint64] | Places) -> Iterator[Places]:
    """Yield the places of numbers, rising, in parts of bounded size: equal ones are in one."""
    parts = len(numbers) // NUMBERS_AT_ONCE + 1
    starts = range(0, len(numbers), NUMBERS_AT_ONCE)
    for part in range(parts):
        places = [np.empty(0, np.int64)]
        for start in starts:
            mixed = mix(numbers[start : start + NUMBERS_AT_ONCE])
            places.append(start + np.flatnonzero(mixed % np.uint64(parts) == part))
        yield np.concatenate(places)
