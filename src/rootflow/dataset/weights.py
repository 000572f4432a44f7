"""Weights of events: scaled to the number that a sample stands for, and as training takes them."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import DATA, SampleConfig, WeightsConfig
from rootflow.dataset.event_reader import Cutflow
from rootflow.dataset.manifest import WeightScaling
from rootflow.errors import InputError, UsageError
from rootflow.ntuple import BranchMap
from rootflow.ntuple.reading import Expectation
from rootflow.ntuple.sums_of_weights import BesideEvents, in_events
from rootflow.ntuple.units import BranchColumn
from rootflow.places import Place

SCALE = ("cross_section_pb", "sum_of_weights")
AS_READ = "as_read"
EACH_ONCE = "each event once"
PB_TIMES_FB_INVERSE = 1000.0


class ReadFile(NamedTuple):
    """What was read of a file."""

    path: Place
    cutflow: Cutflow
    expectation: Expectation

    @property
    def sum_of_weights(self) -> float:
        """The sum over all events of the file but those that are dropped as repeats of others."""
        if not self.cutflow:  # a file without the tree
            return 0.0
        everything = next(iter(self.cutflow.values()))
        return self.cutflow.get(EACH_ONCE, everything)[1]


def scale_of(
    weights: WeightsConfig, name: str, sample: SampleConfig, branch_map: BranchMap, map_name: str
) -> dict[str, BranchColumn | BesideEvents | None]:
    """Return which parts of a map say the scale of a sample's weights, where settings do not."""
    columns: dict[str, BranchColumn | BesideEvents | None] = dict.fromkeys(SCALE)
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
            raise UsageError(f"{where}: the branch map {map_name} does not say where it is: say it")
        columns[key] = None if scaled or given or is_read else column
    return columns


def counts_all_files(weights: WeightsConfig, sample: SampleConfig, branch_map: BranchMap) -> bool:
    """Return whether a sample is scaled by what is said of all its files, not of each."""
    if sample.label == DATA or weights.luminosity_fb_inverse is None:
        return False
    is_said = sample.sum_of_weights is not None or branch_map.expected_events is not None
    return is_said or weights.sum_of_weights == "per_sample"


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
        total = sum(file.sum_of_weights for file in files)
        if total <= 0:
            raise InputError(
                f"the weights of all events that were read add up to {total:g}: "
                f"they cannot be scaled to a cross section"
            )
    if total is None:
        _require_sums(name, files)
    # Of no events nothing is read.
    with_events = [file for file in files if file.expectation.cross_section_pb is not None]
    if total is not None:
        cross_section = cross_section or _only(name, with_events, "cross_section_pb")
    elif _are_of_one_sample(weights, name, files, in_events(branch_map.sum_of_weights) is None):
        total = _only(name, files, "sum_of_weights")
        cross_section = cross_section or _only(name, with_events, "cross_section_pb")
    else:
        total = sum(_said(file, "sum_of_weights") for file in files)
        _positive(total, f"sample {name}: the sum of weights of its files")
        # The mean of what generator jobs found, each as much as it has weights.
        cross_section = cross_section or _mean_cross_section(with_events)
    _positive(total, f"sample {name}: the sum of weights")
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


def _mean_cross_section(files: Sequence[ReadFile]) -> float:
    sums = [_said(file, "sum_of_weights") for file in files]
    cross_sections = [_said(file, "cross_section_pb") for file in files]
    return float(np.average(cross_sections, weights=sums))


def _are_of_one_sample(
    config: WeightsConfig, name: str, files: Sequence[ReadFile], beside_events: bool
) -> bool:
    """Return whether each file says the sum of the whole sample, and not that of its own."""
    if config.sum_of_weights is not None or len(files) == 1:
        return config.sum_of_weights == "per_sample"
    if beside_events:  # what is no branch is of the job that made the file
        return False
    first = files[0].expectation
    if all(file.expectation == first for file in files):
        raise UsageError(
            f"sample {name}: each of its {len(files)} files says {first.sum_of_weights:g} as its "
            f"sum of weights, of its own events or of the sample's: data.weights.sum_of_weights "
            f"must be per_file or per_sample"
        )
    return False


def _require_sums(name: str, files: Sequence[ReadFile]) -> None:
    for file in files:
        if file.expectation.sum_of_weights is None:
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


def _said(file: ReadFile, key: str) -> float:
    value: float = getattr(file.expectation, key)
    return value


FEWEST_EVENTS = 2

Policy = Literal["keep", "absolute", "drop"]


class TrainingWeights(NamedTuple):
    """Weights to train with, (n,) float64, and what became of them: facts of all, or of classes."""

    weight: NDArray[np.float64]
    facts: dict[str, str | float]


def training_weights(weight: NDArray[np.float64], policy: Policy) -> TrainingWeights:
    """Return the weights (n,) that training uses, scaled to a mean of one.

    "keep" leaves nominal weights as they are: the loss is the right one on average, but no longer
    bounded below where negative weights prevail. "absolute" takes their sign away, which is stable
    and learns from another mixture of events. "drop" gives events of negative weight the weight
    zero.
    """
    changed, facts = _by_policy(weight, policy, "the nominal weights")
    return TrainingWeights(changed / changed.mean(), {"negative_weights": policy, **facts})


def class_weights(
    weight: NDArray[np.float64],
    label: NDArray[np.int8],
    negative: Policy,
    class_balance: bool,
    classes: Sequence[str] = ("background", "signal"),
) -> TrainingWeights:
    """Return the weights (n,) to tell classes apart with, scaled to a mean of one.

    `label` is the place of each event's class; `class_balance` gives all classes the same sum of
    weights, after the policy of `training_weights`.
    """
    unlabelled = int(np.sum(~np.isin(label, range(len(classes)))))
    if unlabelled:
        raise InputError(
            f"{unlabelled} of {len(label)} events are of none of the classes: training "
            f"needs labels, which real data does not have"
        )
    changed = np.zeros(len(weight))
    facts: dict[str, str | float] = {"negative_weights": negative}
    for value, name in enumerate(classes):
        of_class = label == value
        events = int(of_class.sum())
        if events < FEWEST_EVENTS:
            few = f"{events} event" if events else "no event"
            raise InputError(
                f"there is {few} of {name}: training and validation need {FEWEST_EVENTS} or "
                f"more of each class; the cutflow of preprocess says where they went"
            )
        what = f"the weights of {name}"
        changed[of_class], found = _by_policy(weight[of_class], negative, what)
        facts |= {f"{name}_{fact}": value for fact, value in found.items()}
        if class_balance:
            changed[of_class] /= changed[of_class].sum()
    return TrainingWeights(changed / changed.mean(), facts)


def _by_policy(
    weight: NDArray[np.float64], policy: Policy, what: str
) -> tuple[NDArray[np.float64], dict[str, float]]:
    total = float(np.sum(weight))
    if not total > 0:
        raise InputError(
            f"{what} of {len(weight)} events add up to {total:g}, {int(np.sum(weight < 0))} of "
            f"them are negative: training and validation need a positive sum"
        )
    changed = {
        "keep": weight.astype(np.float64),
        "absolute": np.abs(weight),
        "drop": np.where(weight < 0, 0.0, weight),
    }[policy]
    return changed, {
        "negative_weight_fraction": float(np.mean(weight < 0)),
        "effective_events_before": effective_events(weight),
        "effective_events_after": effective_events(changed),
    }


def effective_events(weight: NDArray[np.float64]) -> float:
    """Return the effective sample size, (sum w)^2 / sum w^2.

    L. Kish, Survey Sampling, Wiley 1965, section 8.2; the number of events of equal
    weight with the same relative statistical uncertainty.
    """
    squares = float(np.sum(weight**2))
    return float(np.sum(weight)) ** 2 / squares if squares else 0.0
