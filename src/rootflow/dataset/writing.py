"""Writing the arrays of a dataset, chunk by chunk."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rootflow.config.data import FoldingConfig
from rootflow.dataset.arrays import SUFFIX, ArrayWriters
from rootflow.dataset.digest import FileContent
from rootflow.dataset.finite import require_finite, require_finite_arrays
from rootflow.dataset.folds import fold_of
from rootflow.dataset.manifest import Array, Cut, Sample, SourceFile
from rootflow.dataset.plans import Plan, ReadFile
from rootflow.errors import InputError
from rootflow.ntuple import Cutflow
from rootflow.ntuple.four_leptons import Expectation
from rootflow.ntuple.selection import add
from rootflow.progress import Advance, progress

EVENTS_AT_ONCE = 1_000_000
WEIGHTS = frozenset({"weight", "systematic_weights"})
LABELS = {"signal": 1, "background": 0, "data": -1}


class Written(NamedTuple):
    """What was read and written."""

    samples: tuple[Sample, ...]
    arrays: dict[str, Array]


def write_arrays(
    plans: Sequence[Plan],
    contents: Sequence[Sequence[FileContent]],
    folds: FoldingConfig,
    directory: Path,
) -> Written:
    """Write every array of the selected events of all samples, their weights scaled.

    Parameters
    ----------
    contents
        Of the files of each sample.

    Raises
    ------
    InputError
        Something is wrong with a file or with what it holds, or no event of a sample is
        selected.
    """
    samples: list[Sample] = []
    with (
        ArrayWriters(directory) as writers,
        progress("preprocess", None, "events") as advance,
    ):
        for plan, of_sample in zip(plans, contents, strict=True):
            files = [
                _write_file(plan, path, samples, place, folds, writers, advance)
                for place, path in enumerate(plan.files)
            ]
            _require_events(plan, files)
            samples.append(_sample(plan, files, of_sample))
    arrays = {
        name: Array(dtype=writer.dtype.str, shape=writer.shape)
        for name, writer in writers.writers.items()
    }
    for name in WEIGHTS.intersection(arrays):
        _scale_weights(directory, name, samples)
    return Written(tuple(samples), arrays)


def _write_file(
    plan: Plan,
    path: Path,
    before: Sequence[Sample],
    place: int,
    folds: FoldingConfig,
    writers: ArrayWriters,
    advance: Advance,
) -> ReadFile:
    file_index = sum(len(sample.files) for sample in before) + place
    cutflow: Cutflow = {}
    expectation = Expectation()
    for part in plan.read(path):
        require_finite_arrays(path, part, plan.features)
        arrays = part.arrays
        n_events = len(arrays["weight"])
        arrays["file_index"] = np.full(n_events, file_index, dtype=np.int32)
        arrays["fold"] = fold_of(arrays["event_number"], folds)
        if plan.label is not None:
            arrays["sample"] = np.full(n_events, len(before), dtype=np.int16)
            arrays["label"] = np.full(n_events, LABELS[plan.label], dtype=np.int8)
        writers.append(arrays)
        cutflow, expectation = add(cutflow, part.cutflow), part.expectation
        n_read, _ = next(iter(part.cutflow.values()))
        advance(n_read, path.name)
    return ReadFile(path, cutflow, expectation)


def _require_events(plan: Plan, files: Sequence[ReadFile]) -> None:
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
    # A process may interfere with others to less than nothing; all that is trained on may not.
    if plan.label is None and not weight > 0:
        raise InputError(
            f"the weights of the {events} selected events add up to {weight:g}: a sample needs "
            f"a positive sum"
        )


def _cutflow(files: Sequence[ReadFile]) -> Cutflow:
    cutflow: Cutflow = {}
    for file in files:
        cutflow = add(cutflow, file.cutflow)
    return cutflow


def _sample(plan: Plan, files: Sequence[ReadFile], contents: Sequence[FileContent]) -> Sample:
    for file in files:
        read = next(iter(file.cutflow.values()))[1]
        require_finite(read, f"{file.path}: the sum of the weights of its events")
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
        label=plan.label,
        title=plan.title,
        branch_map=plan.branch_map,
        files=tuple(map(_source_file, files, contents)),
        cutflow=cutflow,
        normalisation=normalisation,
        sum_of_weights=cutflow[-1].sum_of_weights,
        events=cutflow[-1].events,
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
