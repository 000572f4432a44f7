from pathlib import Path

import numpy as np
import pytest

from rootflow.config import load
from rootflow.dataset import build
from rootflow.models import load_model
from rootflow.training import fit

FEED_FORWARD = Path(__file__).parents[2] / "configs" / "ttbar-feed-forward.yaml"
# Of the pairing by m(lb) on the same events; the binomial error is 0.0054.
ACCURACY_OF_M_LB = 0.718


@pytest.mark.slow
def test_a_few_epochs_make_the_feed_forward_network_better_than_m_lb(
    ttbar_files: list[Path], tmp_path: Path
) -> None:
    config = load(FEED_FORWARD, ["training.epochs=4"])
    dataset = build(config.data, {"ttbar": ttbar_files}, tmp_path / "datasets")
    [folds] = config.data.folds.in_turn()
    training = fit(dataset, config, tmp_path / "training", lambda *_: None, folds)

    held_out = dataset.events(np.flatnonzero(dataset.fold == config.data.folds.held_out))
    events = held_out.take(held_out.matched)
    said = load_model(training.model_path).predict(events.inputs(), batch_size=2048, verbose=0)
    best = said["assignment"].reshape(len(events), -1).argmax(axis=1)
    assert events.assignment is not None
    right = np.all(np.stack(np.divmod(best, 8), axis=1) == events.assignment, axis=1)
    accuracy = float(np.average(right, weights=events.weight))
    error = float(np.sqrt(accuracy * (1 - accuracy) / len(events)))
    assert accuracy > ACCURACY_OF_M_LB + 5 * error

    assert events.neutrinos is not None
    residual = np.std(said["neutrinos"] - events.neutrinos, axis=0)
    assert np.all(residual < 0.85 * np.std(events.neutrinos, axis=0))
