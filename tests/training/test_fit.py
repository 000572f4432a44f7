import importlib.metadata
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rootflow.training.fitting
import rootflow.training.loop
from rootflow.analyses.ttbar import TtbarConfig
from rootflow.dataset import Dataset, Events
from rootflow.errors import InputError, RootflowError, UsageError
from rootflow.files import LOCK, PARTIAL
from rootflow.models.neutrinos import known_neutrinos
from rootflow.models.saving import load_model
from rootflow.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from rootflow.training.fitting import Training, fit, question
from rootflow.training.trainer import Trainer

MakeConfig = Callable[..., TtbarConfig]
MakeDataset = Callable[[Events], Dataset]

KEYS = {"loss", "assignment_loss", "neutrino_loss", "assignment_accuracy"}

CHILD = """
import json, os, signal, sys
from pathlib import Path
from rootflow.analyses.ttbar import TtbarConfig
from rootflow.dataset import open_dataset
from rootflow.training.fitting import fit

def die(epoch, metrics):
    if epoch == 1:
        os.kill(os.getpid(), signal.SIGKILL)

config = TtbarConfig.model_validate(json.loads(sys.argv[1]))
fit(open_dataset(Path(sys.argv[2])), config, Path(sys.argv[3]), die, config.data.folds.in_turn()[0])
"""


COMPANION = """
import json, sys
from pathlib import Path
from rootflow.analyses.ttbar import TtbarConfig
from rootflow.dataset import open_dataset
from rootflow.training.fitting import fit

config = TtbarConfig.model_validate(json.loads(sys.argv[1]))
dataset = open_dataset(Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
epochs = []
tell = lambda *epoch: epochs.append(epoch)
training = fit(dataset, config, Path(sys.argv[3]), tell, config.data.folds.in_turn()[0])
assert epochs == list(enumerate(training.history, 1))
print(json.dumps([training.history, "rootflow.training.loop" in sys.modules]))
"""


class InterruptedTrainingError(Exception):
    """What a test stops a training with."""


class Epochs(list[tuple[int, dict[str, float]]]):
    """The epochs that a training told of, stopped after one of them if asked to."""

    def __init__(self, stop_after: int | None = None) -> None:
        super().__init__()
        self.stop_after = stop_after

    def __call__(self, epoch: int, metrics: Mapping[str, float]) -> None:
        self.append((epoch, dict(metrics)))
        if epoch == self.stop_after:
            raise InterruptedTrainingError


def train(dataset: Dataset, config: TtbarConfig, directory: Path, epochs: Epochs) -> Training:
    return fit(dataset, config, directory, epochs, config.data.folds.in_turn()[0])


def name_of(dataset: str, config: TtbarConfig) -> str:
    return question(dataset, config, config.data.folds.in_turn()[0])


def weights(training: Training) -> list[np.ndarray]:
    return load_model(training.model_path).get_weights()


def assert_same(first: Training, second: Training) -> None:
    assert first.history == second.history
    for ours, theirs in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(scope="module")
def config(make_config: MakeConfig) -> TtbarConfig:
    return make_config()


@pytest.fixture(scope="module")
def finished(
    small_dataset: Dataset, config: TtbarConfig, tmp_path_factory: pytest.TempPathFactory
) -> Training:
    """Return a training that nothing interrupted."""
    return train(small_dataset, config, tmp_path_factory.mktemp("finished"), Epochs())


def test_a_training_tells_its_story(finished: Training, small_dataset: Dataset) -> None:
    assert len(finished.history) == 3
    expected = {f"{of}_{key}" for of in ("training", "validation") for key in KEYS}
    for metrics in finished.history:
        assert set(metrics) == expected | {"learning_rate"}
        assert metrics["training_loss"] == pytest.approx(
            metrics["training_assignment_loss"] + metrics["training_neutrino_loss"], rel=1e-5
        )
        assert 0 <= metrics["training_assignment_accuracy"] <= 1
    assert finished.history[-1]["training_loss"] < finished.history[0]["training_loss"]
    assert finished.history[-1]["learning_rate"] == 0
    facts = finished.facts
    held_out = np.sum(small_dataset.events().fold == 0)
    assert facts["training_events"] + facts["validation_events"] == 600 - held_out
    assert facts["effective_events_after"] == facts["training_events"]
    assert facts["parameters"] == sum(array.size for array in weights(finished))
    assert facts["events_per_second"] > 0
    losses = [metrics["validation_loss"] for metrics in finished.history]
    assert facts["best_epoch"] == 1 + np.argmin(losses)
    assert facts["best_validation_loss"] == min(losses)


def test_the_record_says_what_the_network_may_be_used_for(
    finished: Training, small_dataset: Dataset
) -> None:
    record = json.loads((finished.directory / "training.json").read_text())
    assert record["dataset"] == small_dataset.manifest.digest
    assert record["folds"] == {"count": 5, "held_out": 0, "scheme": "hash"}
    assert record["model"]["name"] == "feed_forward"
    assert record["features"]["jets"] == ["pt", "eta", "phi", "energy", "btag"]
    assert record["max_jets"] == 8


def test_a_finished_training_is_found_and_told_again(
    finished: Training, small_dataset: Dataset, config: TtbarConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(rootflow.training.loop, "train")
    epochs = Epochs()
    again = train(small_dataset, config, finished.directory, epochs)
    assert again == finished
    assert epochs == list(enumerate(finished.history, 1))


def test_an_interrupted_training_goes_on_to_the_same_end(
    finished: Training, small_dataset: Dataset, config: TtbarConfig, tmp_path: Path
) -> None:
    with pytest.raises(InterruptedTrainingError):
        train(small_dataset, config, tmp_path, Epochs(stop_after=1))
    assert not (tmp_path / "training.json").exists()
    epochs = Epochs()
    resumed = train(small_dataset, config, tmp_path, epochs)
    assert_same(resumed, finished)
    assert epochs == list(enumerate(finished.history, 1))


def test_a_killed_training_goes_on_to_the_same_end(
    finished: Training, small_dataset: Dataset, config: TtbarConfig, tmp_path: Path
) -> None:
    arguments = [config.model_dump_json(), str(small_dataset.path), str(tmp_path)]
    child = subprocess.run([sys.executable, "-c", CHILD, *arguments], capture_output=True)
    assert child.returncode == -signal.SIGKILL
    assert_same(train(small_dataset, config, tmp_path, Epochs()), finished)


def test_of_two_processes_at_once_one_trains_and_the_other_waits(
    finished: Training, small_dataset: Dataset, config: TtbarConfig, tmp_path: Path
) -> None:
    arguments = [config.model_dump_json(), str(small_dataset.path), str(tmp_path / "new")]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", COMPANION, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    said = []
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        out, _ = child.communicate(timeout=300)
        assert child.returncode == 0
        said.append(json.loads(out))
    assert [history for history, _ in said] == [finished.history] * 2
    assert sorted(trained for _, trained in said) == [False, True]


def test_a_flow_goes_on_to_the_same_end_with_its_temperature(
    small_dataset: Dataset, make_config: MakeConfig, tmp_path: Path
) -> None:
    flow = {"head": "flow", "layers": 2, "width": 8, "bins": 4, "samples": 4}
    config = make_config({"neutrinos": flow, "confidence": True}, epochs=2)
    whole = train(small_dataset, config, tmp_path / "whole", Epochs())
    with pytest.raises(InterruptedTrainingError):
        train(small_dataset, config, tmp_path / "halves", Epochs(stop_after=1))
    resumed = train(small_dataset, config, tmp_path / "halves", Epochs())
    assert_same(resumed, whole)
    head, _ = known_neutrinos(load_model(resumed.model_path))
    temperature = whole.facts["neutrino_temperature"]
    assert float(head.flow.temperature) == pytest.approx(temperature)
    assert temperature != 1
    assert whole.facts["neutrino_temperature_error"] > 0
    degrees = whole.facts["neutrino_degrees_of_freedom"]
    assert float(head.flow.degrees) == pytest.approx(degrees)
    assert 3 <= degrees <= 1000
    assert whole.history[-1]["training_confidence_loss"] > 0


def test_several_losses_of_a_kind_are_told_one_by_one(
    small_dataset: Dataset, make_config: MakeConfig, tmp_path: Path
) -> None:
    losses = {"neutrinos": {"mae": 2.0, "w_mass": 0.5}}
    config = make_config(epochs=1, losses=losses, neutrino_loss_weight=3.0)
    (metrics,) = train(small_dataset, config, tmp_path, Epochs()).history
    neutrinos = 2 * metrics["training_mae_loss"] + 0.5 * metrics["training_w_mass_loss"]
    assert metrics["training_neutrino_loss"] == pytest.approx(neutrinos)
    assert metrics["training_loss"] == pytest.approx(
        metrics["training_assignment_loss"] + 3 * neutrinos
    )


def test_losses_of_ones_own_are_as_ours(
    small_dataset: Dataset, make_config: MakeConfig, tmp_path: Path
) -> None:
    jets = {"cross_entropy": 1.0, "own_losses:missed": 0.5}
    ours, own = (
        make_config(epochs=1, losses={"assignment": jets, "neutrinos": {name: 1.0}})
        for name in ("mse", "own_losses:squares")
    )
    (first,) = train(small_dataset, ours, tmp_path / "ours", Epochs()).history
    (second,) = train(small_dataset, own, tmp_path / "own", Epochs()).history
    assert second["validation_neutrino_loss"] == pytest.approx(
        first["validation_neutrino_loss"], rel=1e-4
    )
    of_jets = first["validation_cross_entropy_loss"] + 0.5 * first["validation_missed_loss"]
    assert first["validation_assignment_loss"] == pytest.approx(of_jets)
    assert 0 < first["validation_missed_loss"] < 1
    assert name_of("data", ours) != name_of("data", own)


@pytest.mark.parametrize("stop_after", [1, 3])
def test_time_and_events_before_an_interruption_count(
    finished: Training, small_dataset: Dataset, config: TtbarConfig, tmp_path: Path, stop_after: int
) -> None:
    with pytest.raises(InterruptedTrainingError):
        train(small_dataset, config, tmp_path, Epochs(stop_after))
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.seconds > 0
    events = finished.facts["training_events"]
    assert checkpoint.events == stop_after * events
    facts = train(small_dataset, config, tmp_path, Epochs()).facts
    assert facts["seconds"] >= checkpoint.seconds
    assert facts["events_per_second"] == pytest.approx(3 * events / facts["seconds"])


def test_a_training_is_named_by_all_that_decides_the_network(
    config: TtbarConfig, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = name_of("data", config)
    assert name == name_of("data", make_config())
    assert name != name_of("other data", config)
    assert name != name_of("data", make_config(epochs=4))
    renamed = config.model.model_copy(update={"name": "another"})
    assert name == name_of("data", config.model_copy(update={"model": renamed}))
    with monkeypatch.context() as patch:
        patch.setattr(importlib.metadata, "version", lambda _: "0.1")
        assert name != name_of("data", config)


def test_a_training_that_stops_before_its_last_word_goes_on_to_the_same_end(
    finished: Training,
    small_dataset: Dataset,
    config: TtbarConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(*_: Any) -> None:
        raise InterruptedTrainingError

    with monkeypatch.context() as patch:
        patch.setattr(rootflow.training.fitting, "write_record", stop)
        with pytest.raises(InterruptedTrainingError):
            train(small_dataset, config, tmp_path, Epochs())
    (tmp_path / f".checkpoint{PARTIAL}123.npz").write_bytes(b"what a killed process leaves")
    assert_same(train(small_dataset, config, tmp_path, Epochs()), finished)
    assert {path.name for path in tmp_path.iterdir()} == {LOCK, "model.keras", "training.json"}


def test_another_training_in_the_directory_is_refused(
    finished: Training, small_dataset: Dataset, make_config: MakeConfig, tmp_path: Path
) -> None:
    other = make_config(learning_rate=2e-3)
    with pytest.raises(UsageError, match="another training is finished there"):
        train(small_dataset, other, finished.directory, Epochs())
    write_checkpoint(Checkpoint("another", [], [], [], 0, 0.0, 0.0), tmp_path)
    with pytest.raises(UsageError, match="checkpoint is of another training"):
        train(small_dataset, other, tmp_path, Epochs())


def test_the_best_epoch_is_kept_and_patience_ends_the_training(
    small_dataset: Dataset, make_config: MakeConfig, tmp_path: Path
) -> None:
    # At such a rate a network of this width soon knows its few events by heart.
    config = make_config(
        {"width": 256, "depth": 2, "dropout": 0.0}, epochs=40, learning_rate=1e-2, patience=2
    )
    training = train(small_dataset, config, tmp_path, Epochs())
    losses = [metrics["validation_loss"] for metrics in training.history]
    best = int(np.argmin(losses))
    assert len(losses) < 40
    assert len(losses) - 1 - best == 2
    assert training.facts["best_epoch"] == 1 + best


def test_max_steps_and_a_trial_leave_a_whole_training(
    small_dataset: Dataset, make_config: MakeConfig, tmp_path: Path
) -> None:
    for number, config in enumerate([make_config(max_steps=2), make_config(fast_dev_run=True)]):
        training = train(small_dataset, config, tmp_path / str(number), Epochs())
        assert len(training.history) == 1
        assert np.all(np.isfinite([*training.history[0].values()]))
        assert load_model(training.model_path).count_params() > 0


def test_a_weight_of_two_is_the_event_twice_and_one_of_zero_is_no_event(
    make_dataset: MakeDataset, make_config: MakeConfig, few_events: Events, tmp_path: Path
) -> None:
    weight = np.arange(len(few_events)) % 3.0
    weighted = make_dataset(replace(few_events, weight=weight))
    repeated = few_events.take(np.repeat(np.arange(len(few_events)), weight.astype(int)))
    # All events in one step, so that the batches are the same as well.
    config = make_config({"dropout": 0.0}, epochs=2, batch_size=1000, warmup_fraction=0.0)
    first = train(weighted, config, tmp_path / "weighted", Epochs())
    second = train(make_dataset(repeated), config, tmp_path / "repeated", Epochs())
    for ours, theirs in zip(first.history, second.history, strict=True):
        assert ours == pytest.approx(theirs, rel=2e-4)
    assert first.facts["effective_events_after"] < first.facts["training_events"]


def test_a_loss_that_is_not_a_number_is_one_clear_error(
    small_dataset: Dataset, make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(learning_rate=1e38, gradient_norm=1e30, warmup_fraction=0.0)
    with pytest.raises(
        RootflowError, match=r"the loss is \w+ in epoch 1, batch \d, at a learning rate of"
    ) as caught:
        train(small_dataset, config, tmp_path, Epochs())
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_events_without_truth_are_refused(
    make_dataset: MakeDataset, make_config: MakeConfig, few_events: Events, tmp_path: Path
) -> None:
    data = make_dataset(replace(few_events, assignment=None, neutrinos=None, tops=None))
    with pytest.raises(InputError, match="no truth"):
        train(data, make_config(), tmp_path, Epochs())


def test_weights_that_add_up_to_nothing_are_refused(
    make_dataset: MakeDataset, make_config: MakeConfig, few_events: Events, tmp_path: Path
) -> None:
    data = make_dataset(replace(few_events, weight=-few_events.weight))
    with pytest.raises(InputError, match="need a positive sum"):
        train(data, make_config(), tmp_path, Epochs())


def test_the_running_mean_of_the_weights_is_what_is_kept_and_survives_an_interruption(
    small_dataset: Dataset, make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(ema_decay=0.5)
    whole = train(small_dataset, config, tmp_path / "whole", Epochs())
    with pytest.raises(InterruptedTrainingError):
        train(small_dataset, config, tmp_path / "resumed", Epochs(stop_after=2))
    assert_same(train(small_dataset, config, tmp_path / "resumed", Epochs()), whole)

    trainer = Trainer(small_dataset, config, config.data.folds.in_turn()[0])
    latest = None
    for epoch in range(3):
        trainer.epoch(epoch)
        latest = trainer.task.network.get_weights()
    assert latest is not None
    assert any(
        not np.array_equal(ours, theirs)
        for ours, theirs in zip(weights(whole), latest, strict=True)
    )


def test_the_running_mean_is_that_of_the_weights_after_each_step(
    small_dataset: Dataset, make_config: MakeConfig
) -> None:
    config = make_config(ema_decay=0.8, epochs=3, batch_size=1000)  # an epoch is a step
    trainer = Trainer(small_dataset, config, config.data.folds.in_turn()[0])
    expected = None
    for epoch in range(3):
        trainer.epoch(epoch)
        latest = [np.array(variable) for variable in trainer.model.trainable_variables]
        expected = (
            latest
            if expected is None
            else [0.8 * mean + 0.2 * new for mean, new in zip(expected, latest, strict=True)]
        )
    assert expected is not None
    with trainer.averaged():
        for variable, value in zip(trainer.model.trainable_variables, expected, strict=True):
            np.testing.assert_allclose(np.array(variable), value, atol=1e-6)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_goes_on_to_the_same_end_and_leaves_a_network_of_float32(
    small_dataset: Dataset, make_config: MakeConfig, tmp_path: Path, precision: str
) -> None:
    small = {"architecture": "set_transformer", "width": 8, "depth": 1, "heads": 2}
    steps = {"epochs": 2, "batch_size": 300, "ema_decay": 0.5}
    exact = train(small_dataset, make_config(small, **steps), tmp_path / "exact", Epochs())
    config = make_config(small, precision=precision, **steps)
    whole = train(small_dataset, config, tmp_path / "whole", Epochs())
    with pytest.raises(InterruptedTrainingError):
        train(small_dataset, config, tmp_path / "resumed", Epochs(stop_after=1))
    assert_same(train(small_dataset, config, tmp_path / "resumed", Epochs()), whole)
    for mixed, ours in zip(whole.history, exact.history, strict=True):
        assert mixed["training_loss"] != ours["training_loss"]
        assert mixed["training_loss"] == pytest.approx(ours["training_loss"], rel=0.02)
        assert mixed["validation_loss"] == pytest.approx(ours["validation_loss"], rel=0.02)
    network = load_model(whole.model_path)
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert {layer.compute_dtype for layer in network._flatten_layers()} == {"float32"}


def test_a_trimmed_training_with_no_match_and_a_flow_goes_on_to_the_same_end(
    small_dataset: Dataset, make_config: MakeConfig, tmp_path: Path
) -> None:
    small = {"architecture": "set_transformer", "width": 8, "depth": 1, "heads": 2}
    flow = {"head": "flow", "layers": 2, "width": 8, "bins": 4, "samples": 4}
    more = {"no_match": True, "neutrinos": flow, "confidence": True}
    config = make_config(small | more, epochs=2, batch_size=300, ema_decay=0.5)
    whole = train(small_dataset, config, tmp_path / "whole", Epochs())
    with pytest.raises(InterruptedTrainingError):
        train(small_dataset, config, tmp_path / "resumed", Epochs(stop_after=1))
    assert_same(train(small_dataset, config, tmp_path / "resumed", Epochs()), whole)
    for metrics in whole.history:
        assert 0 <= metrics["validation_matched_auc"] <= 1
    assert whole.facts["neutrino_temperature"] != 1
