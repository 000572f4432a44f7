"""What is to be made of the files of each sample."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import RepeatedEvents
from rootflow.config.samples import SampleConfig
from rootflow.dataset.event_reader import Cutflow, EventReader
from rootflow.dataset.manifest import Normalisation
from rootflow.errors import UsageError
from rootflow.ntuple import Feature
from rootflow.ntuple.expectation import Expectation
from rootflow.ntuple.identity import Identity, IdentityMap


class ReadEvents(NamedTuple):
    """Some events of a file as they were read, selected or not, (n,) each.

    `content` is a hash of what was measured, as `rootflow.dataset.identity` has it, `weight` the
    product of the weight branches, and `passed` how many cuts each passes before one that it does
    not.
    """

    identity: Identity
    content: NDArray[np.uint64]
    weight: NDArray[np.float64]
    passed: NDArray[np.uint8]


class Part(NamedTuple):
    """The selected events of some events of a file: arrays by the names of `Events`.

    Cutflow and `read` are of all events, `entries` where the selected ones are in the file, and the
    expectation is what the file says of its sample up to here.
    """

    arrays: dict[str, NDArray[Any]]
    read: ReadEvents
    cutflow: Cutflow
    entries: NDArray[np.int64]
    expectation: Expectation = Expectation()

    def in_words(self, row: int) -> str:
        """Return who one of the selected events is, for messages."""
        selected = np.flatnonzero(self.read.passed == len(self.cutflow))
        return self.read.identity.in_words(int(selected[row]))


EACH_ONCE = "each event once"


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


class SamplePlan(NamedTuple):
    """How one sample becomes events.

    `question` is what decides its arrays, beside the content of its files and what all samples
    share; `normalise` returns how weights are scaled, of what its files say.
    """

    name: str
    sample: SampleConfig
    files: Sequence[Path]
    branch_map: str
    reader: EventReader
    repeated_events: RepeatedEvents
    question: Mapping[str, Any]
    normalise: Callable[[Sequence[ReadFile]], Normalisation | None]

    @property
    def title(self) -> str:
        """Its name in figures."""
        return self.sample.title or self.name

    @property
    def identity(self) -> IdentityMap:
        """What its map says of who events are."""
        return self.reader.whole


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
