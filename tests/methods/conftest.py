from typing import TYPE_CHECKING

import pytest

from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.dataset import Events
from toy_four_leptons import H4L_FEATURES, toy_four_leptons

if TYPE_CHECKING:
    from rootflow.methods.trained import TrainedMethod

FOLDS = FoldingConfig(count=3)


@pytest.fixture(scope="session")
def toys() -> Events:
    return toy_four_leptons(300, folds=FOLDS, labels=(0, 1, -1))


@pytest.fixture(scope="session")
def networks() -> "list[TrainedMethod]":
    """Return three networks, that at place k made to be the one that has not seen fold k."""
    from rootflow.methods.trained import TrainedMethod
    from small_classifier import small_classifier

    return [
        TrainedMethod(
            "small",
            small_classifier(seed=fold + 1),
            FoldsConfig(count=FOLDS.count, held_out=fold),
            H4L_FEATURES,
        )
        for fold in range(FOLDS.count)
    ]
