from functools import partial

import numpy as np
import pytest

from rootflow.config.methods import DeltaRConfig
from rootflow.dataset import Events
from rootflow.errors import InputError
from rootflow.methods.reconstruction.pairing import eligible_jets
from toy_events import FEATURES, toy_events

settings = partial(DeltaRConfig, method="delta_r")


def event_with(tags: list[float]) -> Events:
    """Return an event of jets with these tags, falling in pT, and one empty slot."""
    jets = [[100 - 10 * slot, 0, 0, 100, tag] for slot, tag in enumerate(tags)]
    arrays = toy_events(1, max_jets=len(tags) + 1).arrays()
    return Events(
        features=FEATURES,
        **arrays
        | {
            "jets": np.array([[*jets, [0, 0, 0, 0, 0]]], np.float32),
            "jet_mask": np.array([[True] * len(tags) + [False]]),
        },
    )


@pytest.mark.parametrize(
    ("choice", "tags", "slots"),
    [
        ("two_best", [1, 6, 5, 4], [1, 2]),
        ("two_best", [4, 4, 4, 6], [0, 3]),
        ("two_best", [1, 1, 1, 1], [0, 1]),
        ("working_point", [1, 6, 5, 4], [1, 2, 3]),
        ("working_point", [4, 4, 4, 6], [0, 1, 2, 3]),
        ("working_point", [1, 3, 2, 6], [1, 3]),  # one passes: the next best quantile joins it
        ("working_point", [1, 2, 2, 6], [1, 3]),  # of equal quantiles the hardest
        ("working_point", [1, 1, 1, 1], [0, 1]),
        ("all", [1, 6, 1, 4], [0, 1, 2, 3]),
        ("all", [6], [0]),
        ("two_best", [6], [0]),
        ("working_point", [6], [0]),
    ],
)
def test_eligible_jets(choice: str, tags: list[float], slots: list[int]) -> None:
    found = eligible_jets(event_with(tags), settings(eligible=choice))
    assert np.flatnonzero(found[0]).tolist() == slots


def test_the_working_point_is_a_setting() -> None:
    at_five = settings(eligible="working_point", btag_min=5)
    found = eligible_jets(event_with([4, 6, 5, 4]), at_five)
    assert np.flatnonzero(found[0]).tolist() == [1, 2]


def test_only_all_jets_need_no_tag() -> None:
    features = {**FEATURES, "jets": ("pt", "eta", "phi", "energy", "mass")}
    events = Events(features=features, **toy_events(10).arrays())
    np.testing.assert_array_equal(eligible_jets(events, settings(eligible="all")), events.jet_mask)
    with pytest.raises(InputError, match="needs the feature btag"):
        eligible_jets(events, settings(eligible="working_point"))
