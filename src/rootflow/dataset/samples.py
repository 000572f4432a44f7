"""The samples of a dataset: what is to be made of the files of each, and how they are read."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import awkward as ak
import numpy as np

from rootflow.config.data import DATA, DataConfig, RepeatedEvents, SampleConfig, WeightsConfig
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.events import BACKGROUND, SIGNAL
from rootflow.dataset.manifest import SkippedFile, WeightScaling
from rootflow.dataset.reading import Reading
from rootflow.dataset.weights import AS_READ, ReadFile, counts_all_files, normalisation, scale_of
from rootflow.errors import InputError, UsageError
from rootflow.formats import open_table
from rootflow.ntuple import BranchMap, Feature, load_branch_map
from rootflow.ntuple.reading import CHUNK_BYTES
from rootflow.ntuple.sums_of_weights import in_events
from rootflow.places import Place

# What stands in weights, cross sections and sums of weights of collisions.
OF_COLLISIONS = (0.0, 1.0)
BINARY = {"background": BACKGROUND, "signal": SIGNAL}


class SamplePlan(NamedTuple):
    """How one sample becomes events.

    `question` is what decides its arrays, beside the content of its files and what all samples
    share; `normalise` returns how weights are scaled, of what its files say. What a look at the
    files told: those that are skipped, those without the tree, since no event was selected, and in
    which others the friends of their trees are.
    """

    name: str
    sample: SampleConfig
    files: Sequence[Place]
    branch_map: str
    reader: EventReader
    repeated_events: RepeatedEvents
    question: Mapping[str, Any]
    normalise: Callable[[Sequence[ReadFile]], WeightScaling | None]
    counts_all_files: bool = False
    skipped: tuple[SkippedFile, ...] = ()
    without_tree: frozenset[Place] = frozenset()
    friends: Mapping[Place, tuple[Place, ...]] = {}

    @property
    def title(self) -> str:
        """Its name in figures."""
        return self.sample.title or self.name


def plans(
    config: DataConfig, files: Mapping[str, Sequence[Place]], reading: Reading
) -> list[SamplePlan]:
    """Return the plan of each sample, in the order of the configuration."""
    weights, samples = config.weights, config.samples
    if not samples:
        samples, weights = _one_sample(config, *files)
    planned = []
    for name, sample in samples.items():
        map_name = sample.branch_map or config.branch_map
        reader = EventReader(reading, map_name, collisions=sample.label == DATA)
        scale = scale_of(weights, name, sample, reader.whole, map_name)
        reader.branch_map = reader.branch_map.model_copy(update=scale)
        repeated: RepeatedEvents = "drop" if sample.are_collisions else "refuse"
        plan = SamplePlan(
            name=name,
            sample=sample,
            files=files[name],
            branch_map=map_name,
            reader=reader,
            repeated_events=config.repeated_events or repeated,
            question={
                **sample.model_dump(mode="json", exclude={"files", "branch_map"}),
                "title": sample.title or name,
                "branch_map": reader.whole.model_dump(mode="json", exclude_defaults=True),
            },
            normalise=partial(normalisation, weights, name, sample, reader.whole),
            counts_all_files=counts_all_files(weights, sample, reader.whole),
        )
        planned.append(plan)
    return planned


def classes_of(samples: Sequence[SampleConfig]) -> tuple[str, ...]:
    """Return the names of the classes; the place of each is its label.

    Background and signal are 0 and 1; others are in the order in which they appear.
    """
    named = dict.fromkeys(each.label for each in samples if each.label not in (None, DATA))
    names = tuple(name for name in named if name is not None)
    return tuple(BINARY) if names and set(names) <= set(BINARY) else names


def check_classes(path: Place, classes: Sequence[str]) -> None:
    """Refuse a dataset whose samples leave nothing to tell apart."""
    if len(classes) < 2:
        found = f"of one class, {classes[0]}" if classes else "data"
        raise InputError(
            f"{path}: its samples are all {found}: classification needs two classes or more, "
            "such as signal and background: say label in data.samples"
        )


def _one_sample(config: DataConfig, name: str) -> tuple[dict[str, SampleConfig], WeightsConfig]:
    """Return the one sample that is named without `samples`, and how it is weighted."""
    weights = config.weights
    given = weights.sum_of_weights
    total = given if isinstance(given, float) else None
    sample = SampleConfig(
        cross_section_pb=getattr(weights, "cross_section_pb", None), sum_of_weights=total
    )
    says_none = load_branch_map(config.branch_map).sum_of_weights is None
    how = AS_READ if total is not None or (given is None and says_none) else given
    return {name: sample}, weights.model_copy(update={"sum_of_weights": how})


def shared_features(plans: Sequence[SamplePlan]) -> dict[str, tuple[Feature, ...]]:
    """Return the features that all samples must have, each with the branches of any."""
    first, *others = plans
    features = first.reader.features
    for other in others:
        if _named(other) != _named(first):
            raise UsageError(
                f"data.samples: the branch maps of {first.name} and {other.name} give different "
                f"features; what they name, and derive, of what is kept must be the same"
            )
        features = {
            collection: tuple(
                one.model_copy(
                    update={"branches": tuple(dict.fromkeys(one.branches + two.branches))}
                )
                for one, two in zip(of_collection, other.reader.features[collection], strict=True)
            )
            for collection, of_collection in features.items()
        }
    return features


def _named(plan: SamplePlan) -> dict[str, list[tuple[str, str]]]:
    return {
        collection: [(feature.name, feature.unit) for feature in features]
        for collection, features in plan.reader.features.items()
    }


def without_weights(plan: SamplePlan, path: Place, events: int) -> InputError:
    """Return the error that says that all events of a file, so many, have weight zero."""
    return InputError(
        f"{path}: the weights of all {events} events are zero, as they are in real data: is "
        f"it that? Sample {plan.name} has the label '{plan.sample.label}', that of real data "
        f"is '{DATA}'"
    )


def refuse_simulation(path: Place, name: str, branch_map: BranchMap) -> None:
    """Refuse a file of collisions whose weights are those of simulated events.

    Looked at are the weights, the cross section and the sum of weights that the map names, as
    far as the file has them. Collisions have zeros, ones or no numbers there.
    """
    named = [
        *branch_map.all_weights(),
        branch_map.cross_section_pb,
        in_events(branch_map.sum_of_weights),
    ]
    branches = list(dict.fromkeys(column.branch for column in named if column is not None))
    with open_table(path, branch_map.tree) as table:
        there = [branch for branch in branches if branch in table.names()]
        for _, arrays in table.chunks(there, CHUNK_BYTES):
            _refuse_weights(path, name, arrays)


def _refuse_weights(path: Place, name: str, arrays: Mapping[str, Any]) -> None:
    for branch, array in arrays.items():
        values = ak.to_numpy(ak.flatten(array, axis=None)).astype(np.float64)
        of_simulation = np.isfinite(values) & ~np.isin(values, OF_COLLISIONS)
        if of_simulation.any():
            raise InputError(
                f"{path}: branch '{branch}' is {values[np.argmax(of_simulation)]:g}, as in "
                f"simulation, and sample {name} has the label of collisions, data: give it "
                f"another, or say data.samples.{name}.pseudo_data=true to let each of its "
                f"events count as one of data"
            )
