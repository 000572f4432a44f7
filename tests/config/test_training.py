from pathlib import Path

import pytest

from rootflow.config import load
from rootflow.errors import UsageError

TTBAR, H4L = (Path(__file__).parents[2] / "configs" / f"{name}.yaml" for name in ("ttbar", "h4l"))


@pytest.mark.parametrize(
    ("head", "own"), [("direct", "huber"), ("binned", "bins"), ("flow", "density")]
)
def test_every_head_has_a_loss_of_its_own(head: str, own: str) -> None:
    config = load(TTBAR, [f"model.neutrinos={{head: {head}}}"])
    assert config.training.losses.of_neutrinos(head) == {own: 1.0}
    assert config.training.losses.of_assignment() == {"cross_entropy": 1.0}


def test_losses_are_chosen_with_their_weights() -> None:
    chosen = "training.losses={assignment: {focal: 2}, neutrinos: {mae: 1, w_mass: 0.1}}"
    losses = load(TTBAR, [chosen]).training.losses
    assert losses.of_assignment() == {"focal": 2.0}
    assert losses.of_neutrinos("direct") == {"mae": 1.0, "w_mass": 0.1}


def test_functions_of_ones_own_are_called_by_their_names() -> None:
    losses = load(
        TTBAR, ["training.losses={assignment: {own_losses:missed: 2, focal: 1}}"]
    ).training.losses
    assert losses.of_assignment() == {"missed": 2.0, "focal": 1.0}
    assert losses.own() == {"missed": "own_losses:missed"}


def test_trees_take_no_other_loss() -> None:
    with pytest.raises(UsageError, match="boosted trees learn by cross_entropy alone"):
        load(
            H4L,
            ["training.loss=focal", "model={architecture: boosted_trees}", "evaluation.methods=[]"],
        )
    assert load(H4L, ["training.loss=focal"]).training.loss == "focal"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["training.losses.neutrinos={hubber: 1}"], "training.losses.neutrinos.hubber"),
        (["training.losses.neutrinos={mse: -1}"], "training.losses.neutrinos.mse"),
        (["training.losses.assignment={}"], "training.losses.assignment"),
        (
            ["training.losses.neutrinos={density: 1}"],
            "density needs model.neutrinos.head=flow, this is direct",
        ),
        (
            ["training.losses.neutrinos={mse: 1}", "model.neutrinos={head: flow}"],
            "mse: a flow learns by its density alone",
        ),
        (["model.neutrinos={head: flo}"], "model.neutrinos"),
        (["training.losses.assignment={focall: 1}"], "none of cross_entropy, focal, exclusivity"),
        (["training.losses.assignment={'own losses:missed': 1}"], "package.module:attribute"),
        (["training.losses.neutrinos={own_losses:huber: 1}"], "another loss called huber"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(overrides: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        load(TTBAR, overrides)
    assert "Traceback" not in str(caught.value)
