"""Trees that assign jets and give the neutrinos, for every target."""

from typing import get_args

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from exporting import about_ttbar
from rootflow.config.export import ExportConfig, Target
from rootflow.dataset import Events
from rootflow.dataset.events import pairs_of_jets
from rootflow.errors import UsageError
from rootflow.export.preparation import prepare
from rootflow.training.reconstruction_trees import (
    GivenToTrees,
    ReconstructionTrees,
    rows_of_pairs,
    seen_by,
)

SLOTS = 4


@pytest.fixture(scope="module")
def trees(toys: Events) -> ReconstructionTrees:
    """Return trees of whatever: what counts is that many leaves are asked for."""
    random = np.random.default_rng(3)
    about = GivenToTrees(toys.features, SLOTS, {})
    unfitted = ReconstructionTrees(about, HistGradientBoostingClassifier(), [])
    columns = seen_by(unfitted.columns, toys.inputs())
    pairs = rows_of_pairs(columns, pairs_of_jets(columns["there"]))
    rows = columns["neutrinos"].reshape(2 * len(toys), -1)
    classifier = HistGradientBoostingClassifier(max_iter=40).fit(
        pairs, random.integers(0, 2, len(pairs))
    )
    regressors = [
        HistGradientBoostingRegressor(max_iter=30).fit(rows, random.normal(0, 60, len(rows)))
        for _ in range(3)
    ]
    return ReconstructionTrees(about, classifier, regressors)


@pytest.mark.parametrize(("opset", "units"), [(15, "GeV"), (17, "MeV"), (20, "GeV")])
def test_trees_are_proven_for_every_target(
    trees: ReconstructionTrees, toys: Events, opset: int, units: str
) -> None:
    config = ExportConfig(targets=get_args(Target), opset=opset, input_units=units)
    made = prepare(trees, toys, about_ttbar(), config)
    assert {row["variant"] for row in made.parity} == {"named", "flat", "athena"}
    # In the same leaves: what is left is the rounding of float32.
    assert max(row["probability"] for row in made.parity) <= 1e-6
    assert max(row["momentum"] for row in made.parity) <= 1e-6
    contract = made.contracts["named", "float32"]
    assert [tensor.name for tensor in contract.outputs] == ["assignment", "neutrinos"]
    assert [tensor.name for tensor in contract.inputs] == ["jets", "jet_mask", "leptons", "met"]


def test_trees_have_no_weights_to_round(trees: ReconstructionTrees, toys: Events) -> None:
    config = ExportConfig(precisions=("float32", "int8"))
    with pytest.raises(UsageError, match="boosted trees have none"):
        prepare(trees, toys, about_ttbar(), config)
