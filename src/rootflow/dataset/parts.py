"""Parts of files, and what is written of each of their chunks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import DATA as COLLISIONS
from rootflow.config.data import FoldingConfig
from rootflow.dataset.event_reader import Cutflow, Selected
from rootflow.dataset.events import DATA
from rootflow.dataset.folds import fold_of
from rootflow.dataset.repeated import PartOfAll, identifying, part_of_all
from rootflow.dataset.samples import SamplePlan, classes_of, refuse_simulation
from rootflow.formats import Table
from rootflow.formats.table import Share
from rootflow.ntuple import Chunk, Feature
from rootflow.ntuple.columns import structured
from rootflow.ntuple.reading import Expectation
from rootflow.places import Place

if TYPE_CHECKING:
    from rootflow.dataset.kept import KeptParts

# Of a file on disk.
SHARE_BYTES = 8 * 2**20
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

    @property
    def events_selected(self) -> int:
        """How many events are selected, wherever their arrays are."""
        return list(self.cutflow.values())[-1][0]

    def arrays(self) -> Iterator[NDArray[Any]]:
        """Yield all arrays, always in the same order."""
        yield from self.selected.values()
        yield from self.all_events.arrays.values()

    @property
    def nbytes(self) -> int:
        """How much memory the arrays take."""
        return sum(array.nbytes for array in self.arrays())

    def with_arrays(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> "Read":
        """Return the same with each array changed, in their order."""
        selected = {name: change(array) for name, array in self.selected.items()}
        everything = {name: change(array) for name, array in self.all_events.arrays.items()}
        return self._replace(
            selected=selected, all_events=self.all_events._replace(arrays=everything)
        )

    def without_arrays(self) -> "Read":
        """Return the same with empty arrays."""
        return self.with_arrays(lambda array: array[:0].copy())


class PartReader(ExitStack):
    """Reads parts as the plans of their samples say; the file of the last one stays open.

    Those that are kept, as others have read them, are not read again.
    """

    def __init__(
        self,
        plans: Sequence[SamplePlan],
        folds: FoldingConfig,
        with_samples: bool,
        kept: "KeptParts | None" = None,
    ) -> None:
        super().__init__()
        self._plans = plans
        self._folds = folds
        self._with_samples = with_samples
        self._names = identifying(plans)
        self._kept = kept
        self._open: tuple[int, Table] | None = None

    def read(self, part: Part, before: Expectation = Expectation()) -> Iterator[Read]:  # noqa: B008
        """Yield the chunks of a part; the expectation is what the parts before it said."""
        if self._kept is not None and before == Expectation() and self._kept.has(part):
            yield from self._kept.read(part)
            return
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
