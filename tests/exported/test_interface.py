from typing import Any

import pytest

from rootflow.config import FoldingConfig
from rootflow.exported.contract import Collection, Feature, OnnxContract, Tensor

JETS = Tensor(
    name="jets",
    type="float32",
    shape=("batch", 8, 1),
    meaning="the leading jets",
    features=(Feature(name="pt", unit="GeV"),),
)
JET = Collection(name="jets", slots=8, mask="jet_mask", order="pt", units={"pt": "GeV"})
CONTRACT = OnnxContract(
    rootflow_version="0.1.0",
    analysis="ttbar",
    model="transformer",
    opset=17,
    order="jets by falling pT",
    inputs=(JETS,),
    outputs=(),
    may_be_applied_to="some events",
    provenance={"run_id": "one"},
    task="reconstruction",
    padding="zeros",
    collections=(JET,),
    folds=FoldingConfig(),
    held_out=0,
    uses={"jets": ("pt",)},
    branch_map="topcptoolkit",
    selection={},
)


def changed(**changes: Any) -> OnnxContract:
    return CONTRACT.model_copy(update=changes)


def jets(**changes: Any) -> tuple[Tensor]:
    return (JETS.model_copy(update=changes),)


@pytest.mark.parametrize(
    "other",
    [
        changed(provenance={"run_id": "another"}, rootflow_version="0.2.0"),
        changed(model="feed_forward", opset=18, may_be_applied_to="others"),
        changed(held_out=3),
        changed(inputs=jets(meaning="in other words")),
        changed(inputs=jets(features=(Feature(name="pt", unit="GeV", range=(25, 900)),))),
    ],
)
def test_another_training_may_stand_in(other: OnnxContract) -> None:
    assert other.interface == CONTRACT.interface


@pytest.mark.parametrize(
    "other",
    [
        changed(inputs=jets(name="objects")),
        changed(collections=(JET.model_copy(update={"slots": 6}),)),
        changed(inputs=jets(features=(Feature(name="pt", unit="MeV"),))),
        changed(outputs=jets()),
        changed(order="jets by falling energy"),
        changed(padding="-999"),
        changed(variant="flat"),
        changed(folds=FoldingConfig(count=4)),
        changed(folds=FoldingConfig(scheme="modulo")),
    ],
)
def test_what_is_called_otherwise_may_not(other: OnnxContract) -> None:
    assert other.interface != CONTRACT.interface
