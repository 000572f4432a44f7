"""Shares of files, read in one process or in several: what is written of each of their chunks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import DATA as COLLISIONS
from rootflow.config.data import FoldingConfig
from rootflow.dataset.event_reader import Cutflow, Selected
from rootflow.dataset.events import DATA
from rootflow.dataset.folds import fold_of
from rootflow.dataset.repeated import PartOfAll, identifying, part_of_all
from rootflow.dataset.samples import SamplePlan, classes_of, refuse_simulation
from rootflow.errors import RootflowError
from rootflow.formats import Table
from rootflow.formats.table import Share
from rootflow.ntuple import Chunk, Feature
from rootflow.ntuple.columns import structured
from rootflow.ntuple.reading import Expectation
from rootflow.places import Place
from rootflow.workers import Shared, workers

# Of a file on disk.
SHARE_BYTES = 16 * 2**20
# A process needs a second or two to start, in which it could read about so many.
BYTES_WORTH_A_PROCESS = 200 * 2**20
# Of each process: what may be done or at work and is not yet written.
SHARES_AHEAD = 8

# NaN says there that another reconstruction has no answer.
MAY_BE_NAN = "reconstructed_neutrinos"
SYSTEMATIC = "systematic_weights"


class Part(NamedTuple):
    """A share of a file; the places are those of its sample and of the file among all."""

    sample: int
    file: int
    path: Place
    share: Share


class File(NamedTuple):
    """A file and how many bytes it has, with places as those of its parts."""

    sample: int
    place: int
    path: Place
    bytes: int
    has_tree: bool

    def parts(self) -> list[Part]:
        """Return its parts, of bounded size, whoever reads them; none where it has no tree."""
        count = 1 + self.bytes // SHARE_BYTES if self.has_tree else 0
        return [Part(*self[:3], Share(place, count)) for place in range(count)]


class Read(NamedTuple):
    """What was read of a chunk, and the arrays of its selected events, as they are written."""

    cutflow: Cutflow
    expectation: Expectation
    has_weight: bool
    selected: dict[str, NDArray[Any]]
    all_events: PartOfAll


class Kept(NamedTuple):
    """Chunks whose arrays are in files, and what is wrong with the one after them."""

    chunks: list[tuple[Read, Path]]
    error: RootflowError | None


Reads = Callable[[Part], Iterator[Read]]


class PartReader(ExitStack):
    """Reads parts as the plans of their samples say; the file of the last one stays open."""

    def __init__(
        self,
        plans: Sequence[SamplePlan],
        folds: FoldingConfig,
        with_samples: bool,
        directory: Path,
    ) -> None:
        super().__init__()
        self._plans = plans
        self._folds = folds
        self._with_samples = with_samples
        self._directory = directory
        self._names = identifying(plans)
        self._open: tuple[int, Table] | None = None

    def read(self, part: Part, before: Expectation = Expectation()) -> Iterator[Read]:  # noqa: B008
        """Yield the chunks of a part; the expectation is what the parts before it said."""
        plan = self._plans[part.sample]
        if part.share.place == 0 and plan.sample.are_collisions:
            refuse_simulation(part.path, plan.name, plan.reader.whole)
        for chunk, selected in plan.reader.share(self._table(part), part.share, before):
            _require_finite_arrays(chunk, selected, plan.reader.features)
            yield Read(
                selected.cutflow,
                chunk.expectation,
                bool(np.any(chunk.weight)),
                self._arrays(part, selected.arrays),
                part_of_all(chunk, selected, plan, part.file, self._names),
            )

    def keep(self, part: Part) -> Kept:
        """Read a part whose turn has not come: its arrays wait in files."""
        chunks = []
        try:
            for place, chunk in enumerate(self.read(part)):
                name = f"{part.file}-{part.share.place}-{place}"
                chunks.append(_put_away(chunk, self._directory / name))
        except RootflowError as error:
            return Kept(chunks, error)
        return Kept(chunks, None)

    def _table(self, part: Part) -> Table:
        if self._open is None or self._open[0] != part.file:
            self.close()
            table = self.enter_context(self._plans[part.sample].reader.open(part.path))
            self._open = part.file, table
        return self._open[1]

    def _arrays(self, part: Part, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        arrays.pop("identity", None)  # of each file its own: `AllEvents` has that of all
        n_events = len(arrays["weight"])
        arrays["event_number"] = arrays["event_number"].astype(np.uint64)
        decides = arrays.get("fold_number", arrays["event_number"])
        if any(plan.reader.whole.fold_number for plan in self._plans):
            arrays["fold_number"] = decides
        arrays["file_index"] = np.full(n_events, part.file, dtype=np.int32)
        arrays["fold"] = fold_of(decides, self._folds)
        if self._with_samples:
            arrays["sample"] = np.full(n_events, part.sample, dtype=np.int16)
        if any(plan.sample.label is not None for plan in self._plans):
            arrays["label"] = np.full(n_events, self._label(part.sample), dtype=np.int8)
        for name, lacking in self._lacking.items():
            if name == SYSTEMATIC:
                # Where a sample has not one of the variations, its nominal weight.
                found = arrays.get(name)
                nominal = dict.fromkeys(lacking.dtype.names or (), arrays["weight"])
                given = (
                    {} if found is None else {each: found[each] for each in found.dtype.names or ()}
                )
                arrays[name] = structured(nominal | given, np.float64)
            elif name not in arrays:
                arrays[name] = np.repeat(lacking[np.newaxis], n_events, axis=0)
        return arrays

    def _label(self, sample: int) -> int:
        label = self._plans[sample].sample.label
        classes = classes_of([plan.sample for plan in self._plans])
        return DATA if label == COLLISIONS else classes.index(label) if label in classes else 0

    @cached_property
    def _lacking(self) -> dict[str, NDArray[Any]]:
        """What the maps give beside what collisions have: for one event that lacks it."""
        found: dict[str, NDArray[Any]] = {}
        variations: dict[str, None] = {}
        for each in (plan.reader.branch_map for plan in self._plans):
            nothing: dict[str, NDArray[Any]] = {
                "assignment": np.full(2, -1, np.int32),
                "neutrinos": np.zeros((2, 3), np.float32),
                "true_leptons": np.zeros((2, 3), np.float32),
                "tops": np.zeros((2, 4), np.float32),
            }
            found |= {name: nothing[name] for name in each.truth.gives()}
            if each.neutrinos is not None:
                found["reconstructed_neutrinos"] = np.full((2, 3), np.nan, np.float32)
            variations |= dict.fromkeys(each.systematic_weights)
        if variations:
            found[SYSTEMATIC] = np.empty(0, [(name, np.float64) for name in variations])
        return found


@contextmanager
def shared_out(
    files: Sequence[File], processes: int, reader: PartReader, setting: tuple[Any, ...]
) -> Iterator[Reads]:
    """Yield what reads each part of the files, asked for in their order.

    There are so many processes at most, and the others make their own reader of the setting.
    """
    parts = [part for file in files for part in file.parts()]
    worth = sum(file.bytes for file in files) // BYTES_WORTH_A_PROCESS
    more = min(processes - 1, len(parts) - 1, worth)
    if more < 1:
        yield reader.read
        return
    try:
        with workers(more, _prepare, *setting) as executor:
            ahead = SHARES_AHEAD * (more + 1)
            shared = Shared(parts, reader.keep, executor, _keep, ahead)

            def read(part: Part) -> Iterator[Read]:
                kept = shared.result(part)
                yield from reader.read(part) if kept is None else _taken(kept)

            yield read
    except BrokenProcessPool:
        raise RootflowError(
            "preprocess: a worker died, maybe for want of memory: start again, with fewer "
            "data.workers if need be"
        ) from None


_at_work: PartReader | None = None


def _prepare(*arguments: Any) -> None:
    global _at_work
    _at_work = PartReader(*arguments)


def _keep(part: Part) -> Kept:
    assert _at_work is not None  # noqa: S101 - workers prepare first
    return _at_work.keep(part)


def _put_away(chunk: Read, path: Path) -> tuple[Read, Path]:
    """Return a chunk with empty arrays, whose content is in a file."""
    with path.open("wb") as file:
        for arrays in (chunk.selected, chunk.all_events.arrays):
            for array in arrays.values():
                np.save(file, array, allow_pickle=False)
    return _with_arrays(chunk, lambda array: array[:0]), path


def _taken(kept: Kept) -> Iterator[Read]:
    """Yield chunks that were put away, and raise what is wrong with the one after them."""
    for chunk, path in kept.chunks:
        with path.open("rb") as file:
            whole = _with_arrays(chunk, lambda _: np.load(file, allow_pickle=False))
        path.unlink()
        yield whole
    if kept.error is not None:
        raise kept.error


def _with_arrays(chunk: Read, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Read:
    selected = {name: change(array) for name, array in chunk.selected.items()}
    everything = {name: change(array) for name, array in chunk.all_events.arrays.items()}
    return chunk._replace(
        selected=selected, all_events=chunk.all_events._replace(arrays=everything)
    )


def _require_finite_arrays(
    chunk: Chunk, selected: Selected, features: Mapping[str, Sequence[Feature]]
) -> None:
    """Refuse selected events with what is not a number; the error says which, and of what."""
    for name, array in selected.arrays.items():
        for column, values in _columns(name, array):
            finite = np.isfinite(values)
            if name == MAY_BE_NAN:
                finite |= np.isnan(values)
            if finite.all():
                continue
            row, *places = np.argwhere(~finite)[0]
            what = _named(column, int(places[-1]), features) if name in features else column
            said = f"{what} is {values[(row, *places)]}, which is no number"
            raise chunk.rows.wrong_at(int(selected.kept[row]), said)


def _columns(name: str, array: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    if array.dtype.names is not None:
        for field in array.dtype.names:
            yield f"{name} '{field}'", array[field]
    elif array.dtype.kind == "f":
        yield name, array


def _named(collection: str, place: int, features: Mapping[str, Sequence[Feature]]) -> str:
    feature = features[collection][place]
    branches = ", ".join(f"'{branch}'" for branch in feature.branches)
    origin = f"of branch {branches}" if branches else "computed of others"
    return f"{feature.name} of {collection}, {origin},"
