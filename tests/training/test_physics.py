from pathlib import Path

import numpy as np
import pytest

from rootflow.config import load
from rootflow.methods.make import make_method
from rootflow.models.saving import load_model
from rootflow.training.fitting import fit
from small_datasets import build

FEED_FORWARD = Path(__file__).parents[2] / "configs" / "ttbar-feed-forward.yaml"


@pytest.mark.slow
def test_a_few_epochs_make_the_feed_forward_network_better_than_the_pairings(
    ttbar_files: list[Path], tmp_path: Path
) -> None:
    config = load(FEED_FORWARD, ["training.epochs=10"])
    dataset = build(config.data, {"ttbar": ttbar_files}, tmp_path / "datasets")
    [folds] = config.data.folds.in_turn()
    training = fit(dataset, config, tmp_path / "training", lambda *_: None, folds)

    held_out = dataset.events(np.flatnonzero(dataset.events().fold == config.data.folds.held_out))
    events = held_out.take(held_out.matched)
    said = load_model(training.model_path).predict(events.inputs(), batch_size=2048, verbose=0)
    best = said["assignment"].reshape(len(events), -1).argmax(axis=1)
    assert events.assignment is not None
    right = np.all(np.stack(np.divmod(best, 8), axis=1) == events.assignment, axis=1)
    # Of 2,777 events the network has 0.755, m(lb) 0.735 and dR 0.650; the paired errors are 0.008.
    for pairing, errors in (("delta_r", 5), ("m_lb", 1)):
        paired = np.all(
            make_method(pairing, 1).answer(events).assignment == events.assignment, axis=1
        )
        gain = right.astype(float) - paired
        assert gain.mean() > errors * gain.std() / np.sqrt(len(events)), pairing

    assert events.neutrinos is not None
    residual = np.std(said["neutrinos"] - events.neutrinos, axis=0)
    assert np.all(residual < 0.85 * np.std(events.neutrinos, axis=0))
