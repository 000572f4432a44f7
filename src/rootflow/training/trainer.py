"""A network, its optimizer and its events: one epoch after another."""

import math
import time
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from rootflow.config import TrainingConfig, TtbarConfig
from rootflow.dataset import Dataset
from rootflow.errors import RootflowError
from rootflow.models import (
    AssignmentAccuracy,
    AssignmentLoss,
    NeutrinoLoss,
    build_model,
    fit_normalisation,
)
from rootflow.training.batches import Batches
from rootflow.training.plan import STEPS_OF_A_TRIAL, Plan, make_plan
from rootflow.training.samples import make_samples

EVENTS_TO_NORMALISE = 200_000
VALIDATION_BATCH = 2048


class Trainer:
    """What is needed to fit a network, made from the configuration and its seed alone.

    Attributes
    ----------
    network
        The network to keep.
    model
        The same layers with optimizer, losses and metrics.
    seconds, events
        Time spent in training steps so far, and events that they took; those of an
        interrupted training are set when it goes on.
    """

    def __init__(self, dataset: Dataset, config: TtbarConfig) -> None:
        keras.utils.set_random_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
        self.config = config
        self.samples = make_samples(dataset, config)
        self.plan = make_plan(config.training, len(self.samples.training))
        normalisation = fit_normalisation(self.samples.training.chunks(EVENTS_TO_NORMALISE))
        self.network = build_model(
            config.model, dataset.features, dataset.manifest.max_jets, normalisation
        )
        self.model = keras.Model(self.network.input, self.network.output)
        losses = {
            "assignment": AssignmentLoss(),
            "neutrinos": NeutrinoLoss(normalisation.neutrino_scales),
        }
        self.model.compile(
            _optimizer(config.training, self.plan),
            loss=losses,
            loss_weights={"assignment": 1.0, "neutrinos": config.training.neutrino_loss_weight},
            weighted_metrics={
                "assignment": [AssignmentAccuracy(), _mean(losses["assignment"])],
                "neutrinos": [_mean(losses["neutrinos"])],
            },
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self.seconds = 0.0
        self.events = 0

    def epoch(self, number: int) -> dict[str, float]:
        """Train for one epoch and return its metrics.

        Raises
        ------
        RootflowError
            The loss is no longer a number.
        """
        order = self.plan.order(number, self.config.seed)
        batches = Batches(self.samples.training, order, self.plan.batch_size)
        started = time.monotonic()
        fitted = self.model.fit(
            batches, shuffle=False, verbose=0, callbacks=[_RefuseNaN(number, self.model.optimizer)]
        )
        self.seconds += time.monotonic() - started
        self.events += len(order)
        metrics = self._named({name: values[-1] for name, values in fitted.history.items()})
        validated = self._named(self._validate())
        _refuse_nan(validated["loss"], f"in the validation of epoch {number}", self.model.optimizer)
        rate = float(self.model.optimizer.learning_rate)
        validated = {f"validation_{name}": value for name, value in validated.items()}
        return {**metrics, **validated, "learning_rate": rate}

    def _named(self, logs: Mapping[str, float]) -> dict[str, float]:
        assignment, neutrino = logs["assignment_mean"], logs["neutrinos_mean"]
        return {
            "loss": assignment + self.config.training.neutrino_loss_weight * neutrino,
            "assignment_loss": assignment,
            "neutrino_loss": neutrino,
            "assignment_accuracy": logs["assignment_accuracy"],
        }

    def _validate(self) -> dict[str, float]:
        order = np.arange(len(self.samples.validation))
        if self.config.training.fast_dev_run:
            order = order[: STEPS_OF_A_TRIAL * VALIDATION_BATCH]
        batches = Batches(self.samples.validation, order, VALIDATION_BATCH)
        return dict(self.model.evaluate(batches, verbose=0, return_dict=True))


class _RefuseNaN(keras.callbacks.Callback):  # type: ignore[misc]
    def __init__(self, epoch: int, optimizer: keras.Optimizer) -> None:
        super().__init__()
        self.epoch = epoch
        self.optimizer = optimizer

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        _refuse_nan((logs or {})["loss"], f"in epoch {self.epoch}, batch {batch}", self.optimizer)


def _refuse_nan(loss: float, where: str, optimizer: keras.Optimizer) -> None:
    if not math.isfinite(loss):
        raise RootflowError(
            f"the loss is {loss} {where}, at a learning rate of "
            f"{float(optimizer.learning_rate):.2g}: try a lower training.learning_rate, a "
            f"smaller training.gradient_norm, or data.weights.negative=absolute where weights "
            f"are negative"
        )


def _mean(loss: keras.Loss) -> keras.Metric:
    """Return the weighted mean over events; Keras' own is one over batches of any size."""
    return keras.metrics.MeanMetricWrapper(loss.call, name="mean")


def _optimizer(config: TrainingConfig, plan: Plan) -> keras.Optimizer:
    """Return AdamW (arXiv:1711.05101) whose rate warms up and falls to zero as a cosine."""
    warmup = int(config.warmup_fraction * plan.steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else config.learning_rate,
        plan.steps - warmup,
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    adamw = keras.optimizers.AdamW(
        schedule, weight_decay=config.weight_decay, global_clipnorm=config.gradient_norm
    )
    adamw.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return adamw
