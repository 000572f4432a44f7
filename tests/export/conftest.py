"""A small network laid out for every target."""

from typing import TYPE_CHECKING, Any

import pytest

from rootflow.config import FoldsConfig
from rootflow.config.export import ExportConfig
from rootflow.dataset import Events
from toy_events import toy_events

if TYPE_CHECKING:
    from rootflow.export.writing import Prepared

SLOTS = 4


@pytest.fixture(scope="session")
def toys() -> Events:
    """Return events with 2 to 4 jets."""
    return toy_events(1200, seed=3, max_jets=SLOTS)


def prepared(toys: Events, fold: int = 0, **settings: Any) -> "Prepared":
    """Return a small network that was not trained on a fold of two, for every target."""
    from exporting import about_ttbar
    from rootflow.export.preparation import prepare
    from small_network import small_network

    every = {"targets": ("named", "topcptoolkit-flat", "athena"), **settings}
    about = about_ttbar(
        folds=FoldsConfig(count=2, scheme="parity", held_out=fold),
        provenance={"dataset": "0123456789abcdef", "training_git_commit": "unknown"},
        metrics={"validation_loss": 0.5},
        name="small_net-1",
    )
    return prepare(small_network(max_jets=SLOTS), toys, about, ExportConfig(**every))


@pytest.fixture(scope="session")
def for_every_target(toys: Events) -> "Prepared":
    """Return a small network for every target, in GeV and float32."""
    return prepared(toys)


@pytest.fixture(scope="session")
def in_mev_and_int8(toys: Events) -> "Prepared":
    """Return the same with inputs in MeV and in every precision, whatever that costs."""
    precisions = ("float32", "float16", "int8")
    return prepared(toys, input_units="MeV", precisions=precisions, accuracy_loss_max=1.0)
