"""Writing the arrays of a dataset, chunk by chunk."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import DATA as COLLISIONS
from rootflow.config.data import DataConfig
from rootflow.dataset.arrays import SUFFIX, ArrayWriters
from rootflow.dataset.digest import Contents, FileContent
from rootflow.dataset.event_reader import Cutflow, add
from rootflow.dataset.kept import KeptParts
from rootflow.dataset.manifest import Array, Cut, Sample, SourceFile
from rootflow.dataset.parts import SYSTEMATIC, File, PartReader
from rootflow.dataset.repeated import AllEvents, RepeatedEvents
from rootflow.dataset.samples import SamplePlan, without_weights
from rootflow.dataset.sharing import Reads, shared_out
from rootflow.dataset.weights import ReadFile
from rootflow.errors import InputError
from rootflow.ntuple.reading import Expectation
from rootflow.progress import Advance, progress

EVENTS_AT_ONCE = 1_000_000
WEIGHTS = frozenset({"weight", SYSTEMATIC})


def write_arrays(
    plans: Sequence[SamplePlan],
    contents: Sequence[Sequence[FileContent]],
    config: DataConfig,
    directory: Path,
    kept: KeptParts | None,
    processes: int,
) -> tuple[tuple[Sample, ...], dict[str, Array]]:
    """Write every array of the selected events of all samples, their weights scaled.

    So many processes at most read and write, or threads of this one.
    """
    read_files: list[list[ReadFile]] = []
    for_now = directory / "all-events"
    setting = (plans, config.folds.folding, bool(config.samples), kept)
    files = files_of(plans, [[content.bytes for content in of_plan] for of_plan in contents])
    if kept is not None:
        kept.tell_lacking(files)
    with (
        ArrayWriters(directory) as writers,
        AllEvents(for_now, plans) as everything,
        shared_out(files, processes, setting, directory, for_now) as (reader, reads),
        progress("preprocess", None, "events") as advance,
    ):
        writing = _Writing(plans, reader, reads, writers, everything, advance)
        for place, plan in enumerate(plans):
            read_files.append([writing.file(each) for each in files if each.sample == place])
            _require_events(plan, read_files[-1])
        read_files, counts = everything.without_repeats(read_files, processes)
        everything.finish(writers)
    samples = []
    for plan, of_plan, of_sample, repeated in zip(plans, read_files, contents, counts, strict=True):
        _require_events(plan, of_plan)
        samples.append(_sample(plan, of_plan, of_sample, repeated))
    for name in WEIGHTS.intersection(writers.writers):
        _scale_weights(directory / (name + SUFFIX), samples)
    files_of_arrays = [directory / (name + SUFFIX) for name in writers.writers]
    with ThreadPoolExecutor(processes) as threads:
        digests = threads.map(Contents().sha256_of, files_of_arrays)
    arrays = {
        name: Array(dtype=writer.dtype.str, shape=writer.shape, sha256=sha256)
        for (name, writer), sha256 in zip(writers.writers.items(), digests, strict=True)
    }
    return tuple(samples), arrays


@dataclass
class _Writing:
    """Files as they are read, and their selected events written."""

    plans: Sequence[SamplePlan]
    reader: PartReader
    reads: Reads
    writers: ArrayWriters
    everything: AllEvents
    advance: Advance
    selected: int = 0

    def file(self, file: File) -> ReadFile:
        """Write the selected events of the next file, and return what was read of it."""
        sample, path = file.sample, file.path
        cutflow: Cutflow = {}
        expectation = Expectation()
        events, any_weight = 0, False
        self.everything.begin(sample, path)
        for part in file.parts():
            for chunk in self.reads(part):
                if expectation not in (Expectation(), chunk.expectation):
                    for _ in self.reader.read(part, expectation):  # which refuses it
                        pass
                self.everything.add(chunk.all_events)
                self.selected += chunk.events_selected
                self.writers.write(chunk.selected, self.selected)
                cutflow, expectation = add(cutflow, chunk.cutflow), chunk.expectation
                events += chunk.all_events.events
                any_weight |= chunk.has_weight
                self.advance(chunk.all_events.events, path.name)
        plan = self.plans[sample]
        if events and not any_weight:
            raise without_weights(plan, path, events)
        return ReadFile(path, cutflow, plan.reader.expectation(path, expectation))


def files_of(plans: Sequence[SamplePlan], sizes: Sequence[Sequence[int]]) -> list[File]:
    """Return the files of all plans in their order; `sizes` are their bytes, by plan."""
    files: list[File] = []
    for sample, (plan, of_plan) in enumerate(zip(plans, sizes, strict=True)):
        for path, size in zip(plan.files, of_plan, strict=True):
            files.append(File(sample, len(files), path, size, path not in plan.without_tree))
    return files


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


def require_finite(value: float, what: str) -> float:
    """Return a number of a sample where it is finite; else the error says what it is of."""
    if not math.isfinite(value):
        raise InputError(f"{what} is {value}, which is no number")
    return value
