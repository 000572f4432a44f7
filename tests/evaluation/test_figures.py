from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from rootflow.config import EvaluationConfig
from rootflow.dataset import Events
from rootflow.errors import UsageError
from rootflow.evaluation import draw_histories
from rootflow.evaluation.figures.style import Look
from rootflow.evaluation.reconstruction import Evaluation, draw, evaluate, read, save
from rootflow.methods.contract import Reconstruction
from rootflow.methods.make import make_method
from toy_events import toy_events
from toy_networks import ToyNetwork

ACCURACIES = [
    "accuracy",
    *(f"accuracy_by_{name}" for name in ("jets", "top_pt")),
]
NAMES = [
    *ACCURACIES,
    "complements",
    "confusion_network",
    "confusion_delta_r",
    "confusion_m_lb",
    "scores_network",
    "coverage_network",
    "importance_network",
    "observable_mtt",
    *(f"migration_{name}_network" for name in ("mtt", "top_pt", "c_hel", "c_han")),
    *(f"display_{number}" for number in (1, 2, 3, 4)),
]


BRIEF = EvaluationConfig(
    replicas=5,
    bins={"jets": [1.5, 2.5, 3.5], "top_pt": [0, 100, 500]},
    drawn=["mtt"],
    displays=0,
)


def test_figures_are_drawn_from_the_saved_evaluation(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    save(evaluation, tmp_path / "evaluation.json")
    paths = draw(read(tmp_path / "evaluation.json"), tmp_path / "figures", "neutral")
    assert [path.name for path in paths] == [
        f"{name}.{ending}" for name in NAMES for ending in ("png", "pdf")
    ]
    for path in paths[::2]:
        assert matplotlib.image.imread(path)[..., :3].std() > 0.05  # not an empty sheet
    for path in paths[1::2]:
        assert path.read_bytes().startswith(b"%PDF")


def test_no_two_of_many_methods_look_alike() -> None:
    names = ["random", *map(str, range(50)), "truth"]
    look = Look(names)
    for of in ("marker", "line"):
        assert len({(look[name].colour, getattr(look[name], of)) for name in names}) == len(names)


@pytest.mark.parametrize("style", ["ATLAS", "CMS"])
def test_styles_of_the_experiments(style: str, tmp_path: Path) -> None:
    quick = evaluate(toy_events(100), [make_method("m_lb", 1)], BRIEF, seed=1)
    names = [path.stem for path in draw(quick, tmp_path, style)[::2]]
    # Without neutrinos and probabilities there is no more.
    assert names == [*ACCURACIES, "confusion_m_lb"]


def test_empty_bins_are_drawn(tmp_path: Path) -> None:
    events = toy_events(100)
    events = events.take(events.jet_mask.sum(axis=1) == 2)
    config = EvaluationConfig(
        replicas=5, bins={"mtt": [0, 1, 500], "top_pt": [5000, 6000]}, drawn=["mtt"]
    )
    quick = evaluate(events, [make_method("truth", 1), make_method("m_lb", 1)], config, seed=1)
    assert draw(quick, tmp_path, "neutral")


class Silent(ToyNetwork):
    """A network that never answers."""

    def answer(self, events: Events) -> Reconstruction:
        answers = super().answer(events)
        return Reconstruction(
            assignment=np.full_like(answers.assignment, -1),
            neutrinos=np.full_like(answers.neutrinos, np.nan),
            scores=np.full_like(answers.scores, np.nan),
            solved=np.zeros_like(answers.solved),
        )


def test_a_network_that_is_always_right_and_one_without_answers(tmp_path: Path) -> None:
    methods = [ToyNetwork("perfect", right=2), Silent("silent")]
    quick = evaluate(toy_events(100), methods, BRIEF, seed=1)
    metrics = quick.metrics()
    assert metrics["assignment_accuracy/silent"] == metrics["efficiency/silent"] == 0
    assert "mtt_resolution/silent" not in metrics
    names = [path.stem for path in draw(quick, tmp_path, "neutral")[::2]]
    assert "scores_perfect" in names
    assert "scores_silent" not in names


def test_unknown_style(evaluation: Evaluation, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no style LHCb; there are neutral, ATLAS, CMS"):
        draw(evaluation, tmp_path, "LHCb")


@pytest.mark.parametrize("epochs", [1, 20])
def test_history(epochs: int, tmp_path: Path) -> None:
    history = [
        {
            "training_loss": 2 / epoch,
            "validation_loss": 2.1 / epoch,
            "training_assignment_accuracy": 1 - 0.5 / epoch,
        }
        for epoch in range(1, epochs + 1)
    ]
    paths = draw_histories([history], tmp_path / "history.png")
    assert paths == [tmp_path / "history.png", tmp_path / "history.pdf"]
    assert matplotlib.image.imread(paths[0])[..., :3].std() > 0.05


def test_histories_of_folds_that_end_at_different_epochs(tmp_path: Path) -> None:
    histories = [
        [
            {
                "training_loss": 2 / epoch,
                "validation_loss": 2.1 / epoch,
                "validation_auc": 1 - 0.5 / epoch,
            }
            for epoch in range(1, epochs + 1)
        ]
        for epochs in (70, 71, 75)
    ]
    paths = draw_histories(histories, tmp_path / "histories.png")
    assert [path.name for path in paths] == ["histories.png", "histories.pdf"]
    assert matplotlib.image.imread(paths[0])[..., :3].std() > 0.05
