from typing import Any

import pytest

from rootflow.config import FoldsConfig
from rootflow.exported.contract import Feature, ReconstructionContract, Tensor
from rootflow.exported.interface import interface_digest

JETS = Tensor(
    name="jets",
    type="float32",
    shape=("batch", 8, 1),
    meaning="the leading jets",
    features=(Feature(name="pt", unit="GeV"),),
)
CONTRACT = ReconstructionContract(
    rootflow_version="0.1.0",
    analysis="ttbar",
    model="transformer",
    opset=17,
    order="jets by falling pT",
    inputs=(JETS,),
    outputs=(),
    may_be_applied_to="some events",
    provenance={"run_id": "one"},
    variant="named",
    max_jets=8,
    padding="zeros",
    folds=FoldsConfig(),
    branch_map="topcptoolkit",
    selection={},
)


def changed(**changes: Any) -> ReconstructionContract:
    return CONTRACT.model_copy(update=changes)


def jets(**changes: Any) -> tuple[Tensor]:
    return (JETS.model_copy(update=changes),)


@pytest.mark.parametrize(
    "other",
    [
        changed(provenance={"run_id": "another"}, rootflow_version="0.2.0"),
        changed(model="feed_forward", opset=18, may_be_applied_to="others"),
        changed(folds=FoldsConfig(held_out=3)),
        changed(inputs=jets(meaning="in other words")),
        changed(inputs=jets(features=(Feature(name="pt", unit="GeV", range=(25, 900)),))),
    ],
)
def test_another_training_may_stand_in(other: ReconstructionContract) -> None:
    assert interface_digest(other) == interface_digest(CONTRACT)


@pytest.mark.parametrize(
    "other",
    [
        changed(inputs=jets(name="objects")),
        changed(inputs=jets(shape=("batch", 6, 1)), max_jets=6),
        changed(inputs=jets(features=(Feature(name="pt", unit="MeV"),))),
        changed(outputs=jets()),
        changed(order="jets by falling energy"),
        changed(padding="-999"),
        changed(variant="flat"),
        changed(folds=FoldsConfig(count=4)),
        changed(folds=FoldsConfig(scheme="modulo")),
    ],
)
def test_what_is_called_otherwise_may_not(other: ReconstructionContract) -> None:
    assert interface_digest(other) != interface_digest(CONTRACT)
