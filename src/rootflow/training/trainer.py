"""A network, its optimizer and its events: one epoch after another."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from rootflow.analysis import analysis_named
from rootflow.config import Config, FoldsConfig
from rootflow.config.training import TrainingConfig
from rootflow.dataset import Dataset
from rootflow.errors import RootflowError
from rootflow.models.determinism import make_deterministic
from rootflow.models.objective import Trimming
from rootflow.models.precision import FLOAT16, FLOAT32, computing_in
from rootflow.training.record import TRAINING, VALIDATION, named
from rootflow.training.samples import (
    Batch,
    Order,
    WeightedSample,
    batches,
    by_multiplicity,
    in_order,
)
from rootflow.training.task import Metrics, Task

VALIDATION_BATCH = 2048
STEPS_OF_A_TRIAL = 4
Step = Callable[[Batch], Metrics]


class Schedule(NamedTuple):
    """The steps of a training on n events, epoch by epoch."""

    events: int  # of a whole epoch
    batch_size: int
    steps: int  # of all epochs together: the last one may be cut short

    @property
    def steps_per_epoch(self) -> int:
        """Steps of a whole epoch."""
        return -(-self.events // self.batch_size)

    @property
    def epochs(self) -> int:
        """Epochs, the one cut short included."""
        return -(-self.steps // self.steps_per_epoch)

    def order(self, epoch: int, seed: int) -> NDArray[np.int64]:
        """Return which events an epoch takes, in their order: a matter of seed and epoch."""
        steps = self.steps - epoch * self.steps_per_epoch
        shuffled = np.random.default_rng([seed, epoch]).permutation(self.events)
        return shuffled[: steps * self.batch_size]


def make_schedule(config: TrainingConfig, events: int) -> Schedule:
    """Return the schedule of a training on so many events."""
    steps_per_epoch = -(-events // config.batch_size)
    steps = config.epochs * steps_per_epoch
    if config.max_steps is not None:
        steps = min(steps, config.max_steps)
    if config.fast_dev_run:
        steps = min(steps, steps_per_epoch, STEPS_OF_A_TRIAL)
    return Schedule(events, config.batch_size, steps)


class Trainer:
    """What is needed to fit the network that is configured, all folds but the held-out one.

    `task.network` is to be kept, `model` has the same layers with optimizer, losses and metrics.
    `seconds`, `cpu_seconds` (of all threads) and `events` are of the training steps so far; those
    of an interrupted training are set when it goes on.
    """

    def __init__(self, dataset: Dataset, config: Config, folds: FoldsConfig) -> None:
        keras.utils.set_random_seed(config.seed)
        make_deterministic()
        self.config = config.training
        self.seed = config.seed
        self.task: Task = analysis_named(config.analysis).make_task(dataset, config, folds)
        self.task.build()
        self.schedule = make_schedule(self.config, len(self.task.samples.training))
        fitted = self.task.fitted
        self.model = (
            Trimming(fitted) if self.task.trims else keras.Model(fitted.input, fitted.output)
        )
        self.model.compile(
            _optimizer(self.config, self.schedule),
            loss=self.task.losses,
            loss_weights=self.task.loss_weights,
            weighted_metrics=self.task.weighted_metrics,
        )
        self.model.optimizer.build(self.model.trainable_variables)
        # Keras makes the variables of the metrics at the first batch.
        (batch,) = batches(self.task.samples.training, [np.arange(1)], trim=self.task.trims)
        self.model.test_step(batch)
        self._steps = Steps(self.model, self.config.precision)
        self.seconds = self.cpu_seconds = self.validation_seconds = 0.0
        self.events = 0

    def epoch(self, number: int) -> Metrics:
        """Train for one epoch and return its metrics; the first has number 0.

        A loss that is no longer a number is a RootflowError.
        """
        training, validation = self.task.samples
        order = self.schedule.order(number, self.seed)
        parts = self._batches(training, order, self.schedule.batch_size, [self.seed, number])
        started, cpu_started = time.monotonic(), time.process_time()
        metrics = self.task.metrics(self._run(self._steps.train, parts, f"in epoch {number + 1}"))
        self.seconds += time.monotonic() - started
        self.cpu_seconds += time.process_time() - cpu_started
        self.events += len(order)
        started = time.monotonic()
        with self.averaged():
            validated = self.task.metrics(self._validate(number))
            metrics |= self.task.metrics_of(training)
            validated |= self.task.metrics_of(validation)
        self.validation_seconds += time.monotonic() - started
        rate = float(self.model.optimizer.learning_rate)
        return {**named(TRAINING, metrics), **named(VALIDATION, validated), "learning_rate": rate}

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the running mean of the weights, where there is one, in their place for a while."""
        optimizer, variables = self.model.optimizer, self.model.trainable_variables
        if self.config.ema_decay is None:
            yield
            return
        latest = [np.array(variable) for variable in variables]
        optimizer.finalize_variable_values(variables)
        try:
            yield
        finally:
            for variable, value in zip(variables, latest, strict=True):
                variable.assign(value)

    def _validate(self, number: int) -> dict[str, float]:
        validation = self.task.samples.validation
        order = np.arange(len(validation))
        if self.config.fast_dev_run:
            order = order[: STEPS_OF_A_TRIAL * VALIDATION_BATCH]
        parts = self._batches(validation, order, VALIDATION_BATCH, [self.seed])
        return self._run(self._steps.test, parts, f"in the validation of epoch {number + 1}")

    def _batches(
        self, sample: WeightedSample, order: Order, size: int, seed: list[int]
    ) -> Iterator[Batch]:
        if not self.task.trims:
            return batches(sample, in_order(order, size))
        return batches(sample, by_multiplicity(order, sample.jets(), size, seed), trim=True)

    def _run(self, step: Step, parts: Iterable[Batch], where: str) -> Metrics:
        """Return the metrics of all batches together."""
        self.model.reset_metrics()
        metrics: Metrics = {}
        for number, batch in enumerate(parts):
            metrics = step(batch)
            if not math.isfinite(metrics["loss"]):
                raise RootflowError(
                    f"the loss is {metrics['loss']} {where}, batch {number}, at a learning rate of "
                    f"{float(self.model.optimizer.learning_rate):.2g}: try a lower "
                    "training.learning_rate, a smaller training.gradient_norm, or "
                    "data.weights.negative=absolute where weights are negative"
                )
        return metrics


def _optimizer(config: TrainingConfig, schedule: Schedule) -> keras.Optimizer:
    """Return AdamW (arXiv:1711.05101) whose rate warms up and falls to zero as a cosine.

    In float16 small gradients would be zero: the loss is multiplied before they are taken, and
    a step with one that is too large is left out.
    """
    warmup = int(config.warmup_fraction * schedule.steps)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else config.learning_rate,
        schedule.steps - warmup,
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    adamw = keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        global_clipnorm=config.gradient_norm,
        use_ema=config.ema_decay is not None,
        ema_momentum=config.ema_decay or 0.0,
    )
    adamw.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    if config.precision == FLOAT16:
        return keras.optimizers.LossScaleOptimizer(adamw)
    return adamw


class Steps:
    """Training and test steps of a model, with a graph for each shape of events.

    Keras' own loops make one graph for all shapes, in which no size is known: it is slower, and a
    network that chooses its layers by the size cannot be traced in it. As in those, Python is taken
    as it stands: rewriting it for conditions that depend on tensors takes a fifth of the time to
    the first step. Gradients are summed two at a time, for the reason in `make_deterministic`.
    """

    def __init__(self, model: keras.Model, precision: str = FLOAT32) -> None:
        self._model = model
        self._precision = precision
        self._learn = _TracedByShape(self._gradients_and_metrics)
        self._test = _TracedByShape(model.test_step)
        self._apply = tf.function(model.optimizer.apply, autograph=False)

    def train(self, batch: Batch) -> Metrics:
        """Change the weights and return the metrics so far, `loss` of this batch alone."""
        gradients, metrics = self._learn(batch)
        self._apply(gradients)
        return _numbers(metrics)

    def test(self, batch: Batch) -> Metrics:
        """Return the metrics so far."""
        return _numbers(self._test(batch))

    def _gradients_and_metrics(self, batch: Any) -> tuple[Any, dict[str, Any]]:
        inputs, targets, weight = batch
        model = self._model
        with computing_in(self._precision, model):
            said = model(inputs, training=True)
        loss = model.compute_loss(inputs, targets, said, weight, training=True)
        metrics = model.compute_metrics(inputs, targets, said, weight)
        gradients = tf.gradients(
            model.optimizer.scale_loss(loss),
            [variable.value for variable in model.trainable_variables],
            aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE,
        )
        return gradients, {**metrics, "loss": loss}


class _TracedByShape:
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._traced: dict[tuple[tuple[int, ...], ...], Callable[[Any], Any]] = {}

    def __call__(self, batch: Batch) -> Any:
        tensors = keras.tree.map_structure(tf.convert_to_tensor, batch)
        shapes = tuple(tuple(tensor.shape[1:]) for tensor in keras.tree.flatten(tensors))
        if shapes not in self._traced:
            signature = keras.tree.map_structure(_of_any_number, tensors)
            self._traced[shapes] = tf.function(
                self._function, input_signature=[signature], autograph=False
            )
        return self._traced[shapes](tensors)


def _of_any_number(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype)


def _numbers(metrics: dict[str, Any]) -> Metrics:
    return {name: float(value) for name, value in metrics.items()}
