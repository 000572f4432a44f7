"""Writing the arrays of a dataset, chunk by chunk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import FoldingConfig
from rootflow.config.samples import DATA as COLLISIONS
from rootflow.dataset.arrays import SUFFIX, ArrayWriters
from rootflow.dataset.contents import Contents, FileContent
from rootflow.dataset.event_reader import Cutflow, add
from rootflow.dataset.events import DATA
from rootflow.dataset.finite import require_finite, require_finite_arrays
from rootflow.dataset.folds import fold_of
from rootflow.dataset.manifest import Array, Cut, Sample, SourceFile
from rootflow.dataset.plans import Part, ReadFile, SamplePlan
from rootflow.dataset.repeated import AllEvents, Counts
from rootflow.dataset.samples import classes_of, read
from rootflow.errors import InputError
from rootflow.ntuple.branch_map import BranchMap
from rootflow.ntuple.expectation import Expectation
from rootflow.progress import Advance, progress

EVENTS_AT_ONCE = 1_000_000
SYSTEMATIC = "systematic_weights"
WEIGHTS = frozenset({"weight", SYSTEMATIC})


class Written(NamedTuple):
    """What was read and written."""

    samples: tuple[Sample, ...]
    arrays: dict[str, Array]


def write_arrays(
    plans: Sequence[SamplePlan],
    contents: Sequence[Sequence[FileContent]],
    folds: FoldingConfig,
    directory: Path,
    with_samples: bool,
) -> Written:
    """Write every array of the selected events of all samples, their weights scaled."""
    read_files: list[list[ReadFile]] = []
    with (
        ArrayWriters(directory) as writers,
        AllEvents(directory / "all-events", plans) as everything,
        progress("preprocess", None, "events") as advance,
    ):
        writing = _Writing(plans, folds, writers, everything, advance, with_samples)
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
        _scale_weights(directory, name, samples)
    known = Contents()
    arrays = {
        name: Array(
            dtype=writer.dtype.str,
            shape=writer.shape,
            sha256=known.of(directory / (name + SUFFIX)).sha256,
        )
        for name, writer in writers.writers.items()
    }
    return Written(tuple(samples), arrays)


class _Writing:
    """Files as they are read, and their selected events written."""

    def __init__(
        self,
        plans: Sequence[SamplePlan],
        folds: FoldingConfig,
        writers: ArrayWriters,
        everything: AllEvents,
        advance: Advance,
        with_samples: bool,
    ) -> None:
        self._plans = plans
        self._folds = folds
        self._writers = writers
        self._everything = everything
        self._advance = advance
        self._files = 0
        self._has_fold_numbers = any(plan.identity.fold_number for plan in plans)
        self._with_samples = with_samples
        self._classes = classes_of([plan.sample for plan in plans])
        self._has_labels = any(plan.sample.label is not None for plan in plans)
        self._simulated = _of_simulation([plan.reader.branch_map for plan in plans])

    def file(self, sample: int, path: Path) -> ReadFile:
        """Write the selected events of the next file, and return what was read of it."""
        plan = self._plans[sample]
        cutflow: Cutflow = {}
        expectation = Expectation()
        self._everything.begin(sample, path)
        for part in read(plan, path):
            require_finite_arrays(path, part, plan.reader.features)
            self._everything.add(part.read, len(part.cutflow))
            self._writers.append(self._arrays(sample, part))
            cutflow, expectation = add(cutflow, part.cutflow), part.expectation
            n_read, _ = next(iter(part.cutflow.values()))
            self._advance(n_read, path.name)
        self._files += 1
        return ReadFile(path, cutflow, expectation)

    def _arrays(self, sample: int, part: Part) -> dict[str, NDArray[Any]]:
        arrays = part.arrays
        arrays.pop("identity", None)  # of each file its own: `everything` has that of all
        n_events = len(arrays["weight"])
        arrays["event_number"] = arrays["event_number"].astype(np.uint64)
        decides = arrays.get("fold_number", arrays["event_number"])
        if self._has_fold_numbers:
            arrays["fold_number"] = decides
        arrays["file_index"] = np.full(n_events, self._files, dtype=np.int32)
        arrays["fold"] = fold_of(decides, self._folds)
        if self._with_samples:
            arrays["sample"] = np.full(n_events, sample, dtype=np.int16)
        if self._has_labels:
            label = self._plans[sample].sample.label
            number = self._classes.index(label) if label in self._classes else 0
            arrays["label"] = np.full(
                n_events, DATA if label == COLLISIONS else number, dtype=np.int8
            )
        for name, lacking in self._simulated.items():
            if name == SYSTEMATIC:
                arrays[name] = _all_variations(arrays.get(name), lacking.dtype, arrays["weight"])
            elif name not in arrays:
                arrays[name] = np.repeat(lacking[np.newaxis], n_events, axis=0)
        return arrays


def _of_simulation(maps: Sequence[BranchMap]) -> dict[str, NDArray[Any]]:
    """Return what the maps give beside what collisions have: for one event that lacks it."""
    found: dict[str, NDArray[Any]] = {}
    variations: dict[str, None] = {}
    for each in maps:
        truth = each.truth
        given: dict[str, Any] = {
            "assignment": truth.assignment and np.full(2, -1, dtype=np.int32),
            "neutrinos": truth.neutrinos and np.zeros((2, 3), dtype=np.float32),
            "true_leptons": truth.leptons and np.zeros((2, 3), dtype=np.float32),
            "tops": truth.tops and np.zeros((2, 4), dtype=np.float32),
            "reconstructed_neutrinos": each.neutrinos and np.full((2, 3), np.nan, dtype=np.float32),
        }
        found |= {name: array for name, array in given.items() if array is not None}
        variations |= dict.fromkeys(each.systematic_weights)
    if variations:
        found[SYSTEMATIC] = np.empty(0, [(name, np.float64) for name in variations])
    return found


def _all_variations(
    found: NDArray[np.void] | None, dtype: np.dtype[Any], weight: NDArray[np.float64]
) -> NDArray[np.void]:
    """Return (n,) every variation; where a sample has not one, its nominal weight."""
    table = np.empty(len(weight), dtype)
    for name in dtype.names or ():
        has = found is not None and name in (found.dtype.names or ())
        table[name] = found[name] if has and found is not None else weight
    return table


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
    cutflow: Cutflow = {}
    for file in files:
        cutflow = add(cutflow, file.cutflow)
    return cutflow


def _sample(
    plan: SamplePlan, files: Sequence[ReadFile], contents: Sequence[FileContent], repeated: Counts
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
        files=tuple(map(_source_file, files, contents)),
        cutflow=cutflow,
        normalisation=normalisation,
        sum_of_weights=cutflow[-1].sum_of_weights,
        events=cutflow[-1].events,
        repeated_events_dropped=repeated.dropped,
        repeated_events_kept=repeated.kept,
        pseudo_data=plan.sample.pseudo_data,
    )


def _source_file(file: ReadFile, content: FileContent) -> SourceFile:
    cuts = list(file.cutflow.values())
    return SourceFile(
        path=str(file.path),
        bytes=content.bytes,
        sha256=content.sha256,
        events_read=cuts[0][0],
        events_selected=cuts[-1][0],
        sum_of_weights_read=cuts[0][1],
        sum_of_weights_selected=cuts[-1][1],
    )


def _scale_weights(directory: Path, name: str, samples: Sequence[Sample]) -> None:
    start = 0
    for sample in samples:
        if sample.normalisation is not None:
            stop = start + sample.events
            _scale_array(directory, name, start, stop, sample)
        start += sample.events


def _scale_array(directory: Path, name: str, start: int, stop: int, sample: Sample) -> None:
    """Multiply the part of a sample, of float64 numbers for each event on disk, by its factor."""
    factor = sample.normalisation.factor if sample.normalisation else 1.0
    path = directory / (name + SUFFIX)
    mapped = np.load(path, mmap_mode="r")
    with path.open("r+b") as file:
        file.seek(mapped.offset + start * mapped.itemsize)
        for first in range(start, stop, EVENTS_AT_ONCE):
            part = np.array(mapped[first : min(first + EVENTS_AT_ONCE, stop)])
            weights = part.view(np.float64)
            before = weights != 0
            with np.errstate(over="ignore"):  # it is refused
                weights *= factor
            if not (np.isfinite(weights).all() and np.array_equal(weights != 0, before)):
                raise InputError(
                    f"sample {sample.name}: weights times {factor:g} are beyond what a number of "
                    "64 bits can be: are luminosity, cross section and sum of weights right?"
                )
            file.write(part.data)
