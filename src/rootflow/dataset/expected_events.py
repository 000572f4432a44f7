"""The number of events that a sample stands for: cross section x luminosity."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rootflow.config.data import DATA, SampleConfig, WeightsConfig
from rootflow.dataset.event_reader import Cutflow
from rootflow.dataset.manifest import WeightScaling
from rootflow.errors import InputError, UsageError
from rootflow.ntuple import BranchMap
from rootflow.ntuple.reading import Expectation
from rootflow.ntuple.units import BranchColumn

SCALE = ("cross_section_pb", "sum_of_weights")
AS_READ = "as_read"
EACH_ONCE = "each event once"
PB_TIMES_FB_INVERSE = 1000.0


class ReadFile(NamedTuple):
    """What was read of a file."""

    path: Path
    cutflow: Cutflow
    expectation: Expectation

    @property
    def sum_of_weights(self) -> float:
        """The sum over all events of the file but those that are dropped as repeats of others."""
        everything = next(iter(self.cutflow.values()))
        return self.cutflow.get(EACH_ONCE, everything)[1]


def scale_of(
    weights: WeightsConfig, name: str, sample: SampleConfig, branch_map: BranchMap, map_name: str
) -> dict[str, BranchColumn | None]:
    """Return which branches of a map say the scale of a sample's weights, where settings do not."""
    columns: dict[str, BranchColumn | None] = dict.fromkeys(SCALE)
    if sample.label == DATA or weights.luminosity_fb_inverse is None:
        return columns
    scaled = branch_map.expected_events is not None
    for key in SCALE:
        where = f"data.samples.{name}.{key}"
        given = getattr(sample, key) is not None
        is_read = key == "sum_of_weights" and weights.sum_of_weights == AS_READ
        column = getattr(branch_map, key)
        if scaled and given:
            raise UsageError(
                f"{where}: the weights that the branch map {map_name} names are scaled already"
            )
        if not (scaled or given or is_read or column is not None):
            raise UsageError(f"{where}: the branch map {map_name} names no branch of it: say it")
        columns[key] = None if scaled or given or is_read else column
    return columns


def normalisation(
    weights: WeightsConfig,
    name: str,
    sample: SampleConfig,
    branch_map: BranchMap,
    files: Sequence[ReadFile],
) -> WeightScaling | None:
    """Return how the weights of a sample are scaled to the luminosity, None where they are not."""
    luminosity = weights.luminosity_fb_inverse
    if sample.label == DATA or luminosity is None:
        return None
    if branch_map.expected_events is not None:
        of_map = branch_map.expected_events.luminosity_fb_inverse
        factor = _positive(luminosity / of_map, f"luminosity {luminosity:g}/fb / {of_map:g}/fb")
        return WeightScaling(luminosity_fb_inverse=luminosity, factor=factor)
    cross_section, total = sample.cross_section_pb, sample.sum_of_weights
    if total is None and weights.sum_of_weights == AS_READ:
        total = _as_read(files)
    if cross_section is None or total is None:
        _require_events(name, files)
    if total is not None:
        cross_section = cross_section or _only(name, files, "cross_section_pb")
    elif _are_of_one_sample(weights, name, files):
        total = _only(name, files, "sum_of_weights")
        cross_section = cross_section or _only(name, files, "cross_section_pb")
    else:
        total = sum(_said(file, "sum_of_weights") for file in files)
        cross_section = cross_section or _mean_cross_section(files, total)
    factor = _positive(
        cross_section * luminosity * PB_TIMES_FB_INVERSE / total,
        f"cross section {cross_section:g} pb x luminosity {luminosity:g}/fb / "
        f"sum of weights {total:g}",
    )
    return WeightScaling(
        luminosity_fb_inverse=luminosity,
        factor=factor,
        cross_section_pb=cross_section,
        sum_of_weights=total,
    )


def _positive(factor: float, what: str) -> float:
    """Return what weights are scaled by; else the error says what is zero or not finite."""
    if not 0 < factor < np.inf:
        raise InputError(f"{what} is {factor:g}: weights cannot be scaled by it")
    return factor


def _as_read(files: Sequence[ReadFile]) -> float:
    total = sum(file.sum_of_weights for file in files)
    if total <= 0:
        raise InputError(
            f"the weights of all events that were read add up to {total:g}: "
            f"they cannot be scaled to a cross section"
        )
    return total


def _are_of_one_sample(config: WeightsConfig, name: str, files: Sequence[ReadFile]) -> bool:
    """Return whether each file says the sum of the whole sample, and not that of its own."""
    if config.sum_of_weights is not None or len(files) == 1:
        return config.sum_of_weights == "per_sample"
    first = files[0].expectation
    if all(file.expectation == first for file in files):
        raise UsageError(
            f"sample {name}: each of its {len(files)} files says {first.sum_of_weights:g} as its "
            f"sum of weights, of its own events or of the sample's: data.weights.sum_of_weights "
            f"must be per_file or per_sample"
        )
    return False


def _require_events(name: str, files: Sequence[ReadFile]) -> None:
    for file in files:
        if file.expectation == Expectation():
            raise InputError(
                f"{file.path}: it has no events, and so does not say its sum of weights, which "
                f"sample {name} needs: leave it out and give the sample's sum_of_weights and "
                f"cross_section_pb"
            )


def _only(name: str, files: Sequence[ReadFile], key: str) -> float:
    """Return what all files say alike."""
    first, *others = files
    value = _said(first, key)
    for other in others:
        if _said(other, key) != value:
            raise InputError(
                f"sample {name}: {first.path} says {value:g} as {key} of the sample, {other.path} "
                f"says {_said(other, key):g}: give one value as data.samples.{name}.{key}; only "
                f"with data.weights.sum_of_weights=per_file, and no sum of the sample, may files "
                f"differ"
            )
    return value


def _mean_cross_section(files: Sequence[ReadFile], total: float) -> float:
    """Return the mean of what generator jobs found, each as much as it has weights."""
    parts = (_said(file, "cross_section_pb") * _said(file, "sum_of_weights") for file in files)
    return sum(parts) / total


def _said(file: ReadFile, key: str) -> float:
    value: float = getattr(file.expectation, key)
    return value
