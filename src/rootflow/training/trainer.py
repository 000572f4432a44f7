"""A network, its optimizer and its events: one epoch after another."""

import math
import time
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from rootflow.config import TrainingConfig
from rootflow.errors import RootflowError
from rootflow.training.batches import Batches
from rootflow.training.plan import STEPS_OF_A_TRIAL, Plan, make_plan
from rootflow.training.task import Metrics, Task

VALIDATION_BATCH = 2048


class Trainer:
    """What is needed to fit a network, made from the configuration and its seed alone.

    Parameters
    ----------
    make_task
        Makes the network, after the seed is set.
    config, seed
        How the network is fitted.

    Attributes
    ----------
    task
        What is learnt; `task.network` is the network to keep.
    model
        The same layers with optimizer, losses and metrics.
    seconds, events
        Time spent in training steps so far, and events that they took; those of an
        interrupted training are set when it goes on.
    """

    def __init__(self, make_task: Callable[[], Task], config: TrainingConfig, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        tf.config.experimental.enable_op_determinism()
        self.config = config
        self.seed = seed
        self.task = make_task()
        self.plan = make_plan(config, len(self.task.samples.training))
        fitted = self.task.fitted
        self.model = keras.Model(fitted.input, fitted.output)
        self.model.compile(
            _optimizer(config, self.plan),
            loss=self.task.losses,
            loss_weights=self.task.loss_weights,
            weighted_metrics=self.task.weighted_metrics,
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self.seconds = 0.0
        self.events = 0

    def epoch(self, number: int) -> Metrics:
        """Train for one epoch and return its metrics.

        Raises
        ------
        RootflowError
            The loss is no longer a number.
        """
        training, validation = self.task.samples
        order = self.plan.order(number, self.seed)
        batches = Batches(training, order, self.plan.batch_size)
        started = time.monotonic()
        fitted = self.model.fit(
            batches, shuffle=False, verbose=0, callbacks=[_RefuseNaN(number, self.model.optimizer)]
        )
        self.seconds += time.monotonic() - started
        self.events += len(order)
        metrics = self.task.metrics({name: values[-1] for name, values in fitted.history.items()})
        validated = self.task.metrics(self._validate())
        _refuse_nan(validated["loss"], f"in the validation of epoch {number}", self.model.optimizer)
        metrics |= self.task.metrics_of(training)
        validated |= self.task.metrics_of(validation)
        rate = float(self.model.optimizer.learning_rate)
        validated = {f"validation_{name}": value for name, value in validated.items()}
        return {**metrics, **validated, "learning_rate": rate}

    def _validate(self) -> dict[str, float]:
        validation = self.task.samples.validation
        order = np.arange(len(validation))
        if self.config.fast_dev_run:
            order = order[: STEPS_OF_A_TRIAL * VALIDATION_BATCH]
        batches = Batches(validation, order, VALIDATION_BATCH)
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
