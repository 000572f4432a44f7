"""Writing the arrays of a dataset, chunk by chunk."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import DATA as COLLISIONS
from rootflow.config.data import FoldingConfig
from rootflow.dataset.arrays import SUFFIX, ArrayWriters
from rootflow.dataset.digest import Contents, FileContent
from rootflow.dataset.event_reader import Cutflow, Selected, add
from rootflow.dataset.events import DATA
from rootflow.dataset.folds import fold_of
from rootflow.dataset.manifest import Array, Cut, Sample, SourceFile
from rootflow.dataset.repeated import AllEvents, RepeatedEvents
from rootflow.dataset.samples import SamplePlan, classes_of, read
from rootflow.dataset.weights import ReadFile
from rootflow.errors import InputError
from rootflow.ntuple import Chunk, Feature
from rootflow.ntuple.columns import structured
from rootflow.ntuple.reading import Expectation
from rootflow.places import Place
from rootflow.progress import Advance, progress

EVENTS_AT_ONCE = 1_000_000
# NaN says there that another reconstruction has no answer.
MAY_BE_NAN = "reconstructed_neutrinos"
SYSTEMATIC = "systematic_weights"
WEIGHTS = frozenset({"weight", SYSTEMATIC})


def write_arrays(
    plans: Sequence[SamplePlan],
    contents: Sequence[Sequence[FileContent]],
    folds: FoldingConfig,
    directory: Path,
    with_samples: bool,
) -> tuple[tuple[Sample, ...], dict[str, Array]]:
    """Write every array of the selected events of all samples, their weights scaled."""
    read_files: list[list[ReadFile]] = []
    with (
        ArrayWriters(directory) as writers,
        AllEvents(directory / "all-events", plans) as everything,
        progress("preprocess", None, "events") as advance,
    ):
        writing = _Writing(plans, folds, with_samples, writers, everything, advance)
        for place, plan in enumerate(plans):
            read_files.append([writing.file(place, path) for path in plan.files])
            _require_events(plan, read_files[-1])
        read_files, counts = everything.without_repeats(read_files)
        everything.finish(writers)
    samples = []
    for plan, files, of_sample, repeated in zip(plans, read_files, contents, counts, strict=True):
        _require_events(plan, files)
        samples.append(_sample(plan, files, of_sample, repeated))
    for name in WEIGHTS.intersection(writers.writers):
        _scale_weights(directory / (name + SUFFIX), samples)
    known = Contents()
    arrays = {
        name: Array(
            dtype=writer.dtype.str,
            shape=writer.shape,
            sha256=known.sha256_of(directory / (name + SUFFIX)),
        )
        for name, writer in writers.writers.items()
    }
    return tuple(samples), arrays


@dataclass
class _Writing:
    """Files as they are read, and their selected events written."""

    plans: Sequence[SamplePlan]
    folds: FoldingConfig
    with_samples: bool
    writers: ArrayWriters
    everything: AllEvents
    advance: Advance
    files: int = 0

    def file(self, sample: int, path: Place) -> ReadFile:
        """Write the selected events of the next file, and return what was read of it."""
        plan = self.plans[sample]
        cutflow: Cutflow = {}
        expectation = Expectation()
        self.everything.begin(sample, path)
        for chunk, selected in () if path in plan.without_tree else read(plan, path):
            _require_finite_arrays(chunk, selected, plan.reader.features)
            self.everything.add(chunk, selected)
            self.writers.append(self._arrays(sample, selected.arrays))
            cutflow, expectation = add(cutflow, selected.cutflow), chunk.expectation
            self.advance(len(chunk), path.name)
        self.files += 1
        return ReadFile(path, cutflow, plan.reader.expectation(path, expectation))

    def _arrays(self, sample: int, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        arrays.pop("identity", None)  # of each file its own: `everything` has that of all
        n_events = len(arrays["weight"])
        arrays["event_number"] = arrays["event_number"].astype(np.uint64)
        decides = arrays.get("fold_number", arrays["event_number"])
        if any(plan.reader.whole.fold_number for plan in self.plans):
            arrays["fold_number"] = decides
        arrays["file_index"] = np.full(n_events, self.files, dtype=np.int32)
        arrays["fold"] = fold_of(decides, self.folds)
        if self.with_samples:
            arrays["sample"] = np.full(n_events, sample, dtype=np.int16)
        if any(plan.sample.label is not None for plan in self.plans):
            arrays["label"] = np.full(n_events, self._label(sample), dtype=np.int8)
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
        label = self.plans[sample].sample.label
        classes = classes_of([plan.sample for plan in self.plans])
        return DATA if label == COLLISIONS else classes.index(label) if label in classes else 0

    @cached_property
    def _lacking(self) -> dict[str, NDArray[Any]]:
        """What the maps give beside what collisions have: for one event that lacks it."""
        found: dict[str, NDArray[Any]] = {}
        variations: dict[str, None] = {}
        for each in (plan.reader.branch_map for plan in self.plans):
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


def _require_events(plan: SamplePlan, files: Sequence[ReadFile]) -> None:
    cutflow = _cutflow(files)
    if not next(iter(cutflow.values()))[0]:
        first, *others = files
        more = f", nor have the {len(others)} other files of {plan.name}" if others else ""
        raise InputError(f"{first.path}: it has no events{more}")
    events, weight = list(cutflow.values())[-1]
    if not events:
        steps = "; ".join(f"{name}: {left}" for name, (left, _) in cutflow.items())
        raise InputError(
            f"sample {plan.name}: no event is selected; events left after each cut: {steps}"
        )
    if plan.sample.label != COLLISIONS and not weight > 0:
        raise InputError(
            f"sample {plan.name}: the weights of the {events} selected events add up to "
            f"{weight:g}: a sample needs a positive sum"
        )


def _cutflow(files: Sequence[ReadFile]) -> Cutflow:
    nothing: Cutflow = {}
    return reduce(add, (file.cutflow for file in files if file.cutflow), nothing)


def _sample(
    plan: SamplePlan,
    files: Sequence[ReadFile],
    contents: Sequence[FileContent],
    repeated: RepeatedEvents,
) -> Sample:
    for file in files:
        require_finite(file.sum_of_weights, f"{file.path}: the sum of the weights of its events")
    normalisation = plan.normalise(files)
    factor = 1.0 if normalisation is None else normalisation.factor
    cutflow = tuple(
        Cut(
            name=name,
            events=events,
            sum_of_weights=require_finite(
                factor * weight, f"sample {plan.name}: the sum of weights after '{name}'"
            ),
        )
        for name, (events, weight) in _cutflow(files).items()
    )
    return Sample(
        name=plan.name,
        label=plan.sample.label,
        title=plan.title,
        branch_map=plan.branch_map,
        files=tuple(
            _source_file(plan, file, content) for file, content in zip(files, contents, strict=True)
        ),
        cutflow=cutflow,
        normalisation=normalisation,
        sum_of_weights=cutflow[-1].sum_of_weights,
        events=cutflow[-1].events,
        repeated_events_dropped=repeated.dropped,
        repeated_events_kept=repeated.kept,
        pseudo_data=plan.sample.pseudo_data,
        skipped_files=plan.skipped,
    )


def _source_file(plan: SamplePlan, file: ReadFile, content: FileContent) -> SourceFile:
    cuts = list(file.cutflow.values()) or [(0, 0.0)]
    return SourceFile(
        path=str(file.path),
        bytes=content.bytes,
        checksum=content.checksum,
        checksum_from=content.checksum_from,
        events_read=cuts[0][0],
        events_selected=cuts[-1][0],
        sum_of_weights_read=cuts[0][1],
        sum_of_weights_selected=cuts[-1][1],
        has_tree=file.path not in plan.without_tree,
        friends=tuple(map(str, plan.friends.get(file.path, ()))),
    )


def _scale_weights(path: Path, samples: Sequence[Sample]) -> None:
    """Multiply the float64 numbers of each event on disk by the factor of its sample."""
    mapped = np.load(path, mmap_mode="r")
    stop = 0
    with path.open("r+b") as file:
        for sample in samples:
            start, stop = stop, stop + sample.events
            for first in range(start, stop if sample.normalisation else start, EVENTS_AT_ONCE):
                part = np.array(mapped[first : min(first + EVENTS_AT_ONCE, stop)])
                _scale(part.view(np.float64), sample)
                file.seek(mapped.offset + first * mapped.itemsize)
                file.write(part.data)


def _scale(weights: NDArray[np.float64], sample: Sample) -> None:
    factor = sample.normalisation.factor if sample.normalisation else 1.0
    before = weights != 0
    with np.errstate(over="ignore"):  # it is refused
        weights *= factor
    if not (np.isfinite(weights).all() and np.array_equal(weights != 0, before)):
        raise InputError(
            f"sample {sample.name}: weights times {factor:g} are beyond what a number of 64 bits "
            "can be: are luminosity, cross section and sum of weights right?"
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


def require_finite(value: float, what: str) -> float:
    """Return a number of a sample where it is finite; else the error says what it is of."""
    if not math.isfinite(value):
        raise InputError(f"{what} is {value}, which is no number")
    return value


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
