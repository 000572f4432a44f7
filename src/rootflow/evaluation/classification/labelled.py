"""The events of an evaluation: what they are, what is drawn of them, sums, spectra and yields."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rootflow import plugins
from rootflow.config import ClassificationEvaluationConfig
from rootflow.dataset.events import DATA, Events
from rootflow.dataset.manifest import Sample
from rootflow.dataset.weights import effective_events
from rootflow.errors import InputError, UsageError
from rootflow.evaluation.bootstrap import NOWHERE, FloatArray
from rootflow.evaluation.results import (
    Kind,
    Spectrum,
    Yield,
    check_finite,
    check_known,
    counts,
    expected,
    histogram,
    varied_weights,
)
from rootflow.ntuple import Feature

# The label of events outside a window.
UNLABELLED = DATA - 1

# By label, where an analysis has no classes of its own; and those of them that are signal.
CLASSES = ("background", "signal")
SIGNALS = ("signal",)

# With fewer, neither a background estimate nor the error of anything means much: 20 %.
EFFECTIVE_EVENTS_MIN = 25.0

SETTING = "evaluation.observable"
# What a title in LaTeX is in tables.
PLAIN = str.maketrans("", "", "$\\{}")


class EventObservable(NamedTuple):
    """A number of every event: a feature of the event, or `package.module:function` of Events.

    The title in figures may have $LaTeX$; the unit is empty where there is none.
    """

    name: str
    title: str
    unit: str

    @property
    def in_words(self) -> str:
        """Its title without LaTeX, for tables."""
        return self.title.replace(r"\ell", "l").translate(PLAIN)

    @property
    def key(self) -> str:
        """Its name as a part of other names."""
        return self.name.rpartition(":")[2]

    def between(self, window: tuple[float, float]) -> str:
        """Return `m(4l) from 105 to 160 GeV`."""
        return f"{self.in_words} from {window[0]:g} to {window[1]:g} {self.unit}".strip()

    def inequality(self, window: tuple[float, float]) -> str:
        """Return the same in LaTeX."""
        escaped = self.title.replace("_", r"\_")
        title = self.title.strip("$") if "$" in self.title else rf"\mathrm{{{escaped}}}"
        return rf"${window[0]:g} \leq {title} \leq {window[1]:g}$ {self.unit}".strip()

    def values(self, events: Events) -> FloatArray:
        """Return (n,) finite values, as of a feature or function that gives them, or refuse."""
        known = events.features["event"]
        if ":" in self.name:
            function: Callable[[Events], FloatArray] = plugins.resolve(self.name, SETTING)
            try:
                values = np.asarray(function(events), np.float64)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                raise UsageError(f"{SETTING}: {self.name} fails: {reason}") from None
            if values.shape != (len(events),):
                raise UsageError(
                    f"{SETTING}: {self.name} gives an array of shape {values.shape} for "
                    f"{len(events)} events"
                )
        elif self.name in known:
            values = events.event[:, known.index(self.name)].astype(np.float64)
        else:
            raise UsageError(
                f"{SETTING}: '{self.name}' is no feature of the event: {', '.join(known)}"
            )
        check_finite(self.key, values, events)
        return values


def observable_of(
    config: ClassificationEvaluationConfig, features: Mapping[str, Sequence[Feature]]
) -> EventObservable | None:
    """Return the configured observable with the unit that the dataset's feature has."""
    name = config.observable
    if name is None:
        return None
    units = {feature.name: feature.unit for feature in features.get("event", ())}
    unit = config.observable_unit or units.get(name, "none")
    return EventObservable(
        name, config.observable_title or name.rpartition(":")[2], "" if unit == "none" else unit
    )


@dataclass(frozen=True)
class Labelled:
    """n events of simulation, and of data if there are any.

    `weight` (n,) is the events expected in data, of data 1; `label` (n,) the place in `classes`,
    negative for none of them; `values` (n,) those of the observable, None without one.
    """

    events: Events
    samples: tuple[Sample, ...]
    classes: tuple[str, ...]
    signals: tuple[str, ...]
    weight: FloatArray
    label: NDArray[np.int64]
    observable: EventObservable | None
    values: FloatArray | None

    @classmethod
    def of(
        cls,
        events: Events,
        samples: Sequence[Sample],
        observable: EventObservable | None = None,
        classes: Sequence[str] = CLASSES,
        signals: Sequence[str] = SIGNALS,
    ) -> Self:
        """Return the events, checked: labels, finite numbers, weights, enough of each class."""
        if events.label is None or events.sample is None:
            raise InputError(
                "an evaluation of classifiers needs events with labels and samples; "
                "this dataset has none: is it of another analysis?"
            )
        check_known("evaluation.signal", signals, classes)
        check_finite("weight", events.weight, events)
        found = cls(
            events=events,
            samples=tuple(samples),
            classes=tuple(classes),
            signals=tuple(signals),
            weight=np.asarray(events.weight, np.float64),
            label=events.label.astype(np.int64),
            observable=observable,
            values=observable and observable.values(events),
        )
        found._check_sums(" selected", "nothing can be expected of it", zero_is_enough=False)
        several = {name: found.label == place for place, name in enumerate(classes)}
        found._check_enough("", several if len(several) > 2 else {})
        return found

    def _check_enough(self, where: str, classes: Mapping[str, NDArray[np.bool_]]) -> None:
        every = {"signal": self.signal, "background": self.background, **classes}
        for name, among in every.items():
            enough = effective_events(self.weight[among])
            if enough < EFFECTIVE_EVENTS_MIN:
                raise InputError(
                    f"{np.sum(among)} events of {name} to evaluate on{where}, as good as "
                    f"{enough:.1f} of equal weight: at least {EFFECTIVE_EVENTS_MIN:.0f} are needed"
                )

    def __len__(self) -> int:
        return len(self.weight)

    @cached_property
    def signal(self) -> NDArray[np.bool_]:
        """(n,) True of events of a class that is signal."""
        signals = [self.classes.index(name) for name in self.signals]
        return np.isin(self.label, signals)

    @cached_property
    def background(self) -> NDArray[np.bool_]:
        """(n,) True of those of any other class."""
        return (self.label > DATA) & ~self.signal

    @cached_property
    def data(self) -> NDArray[np.bool_]:
        """(n,) True of collisions."""
        return np.asarray(self.label == DATA)

    def kind(self, sample: Sample) -> Kind:
        """Return what a sample is to those who look for signal."""
        if sample.label == "data":
            return "data"
        return "signal" if sample.label in self.signals else "background"

    @cached_property
    def by_sample(self) -> tuple[tuple[Sample, NDArray[np.bool_]], ...]:
        """Every sample with (n,) bool, its events."""
        return tuple(
            (sample, np.asarray(self.events.sample == place))
            for place, sample in enumerate(self.samples)
        )

    def of_kind(self, *kinds: Kind) -> dict[str, NDArray[np.bool_]]:
        """Return (n,) bool of each sample of these kinds, by its name."""
        return {
            sample.name: among for sample, among in self.by_sample if self.kind(sample) in kinds
        }

    @property
    def simulated(self) -> dict[str, NDArray[np.bool_]]:
        """(n,) bool of each simulated sample, by its name."""
        return self.of_kind("signal", "background")

    def simulation(self) -> Self:
        """Return the events that are not data."""
        chosen = np.flatnonzero(~self.data)
        return replace(
            self,
            events=self.events.take(chosen),
            weight=self.weight[chosen],
            label=self.label[chosen],
            values=None if self.values is None else self.values[chosen],
        )

    def within(self, window: tuple[float, float] | None) -> Self:
        """Return the same n events; those with an observable outside belong to nothing."""
        if window is None or self.observable is None or self.values is None:
            return self
        inside = (self.values >= window[0]) & (self.values < window[1])
        sample = np.where(inside, np.asarray(self.events.sample), NOWHERE)
        found = replace(
            self,
            events=self.events.replace(sample=sample),
            label=np.where(inside, self.label, UNLABELLED),
        )
        where = f" with {self.observable.between(window)}"
        found._check_enough(where, {})
        found._check_sums("", "a wider window or more events are needed", where)
        return found

    def _check_sums(
        self, which: str, advice: str, where: str = "", *, zero_is_enough: bool = True
    ) -> None:
        for name, among in self.simulated.items():
            total = np.sum(self.weight[among])
            if total < 0 or (total == 0 and not zero_is_enough):
                raise InputError(
                    f"sample {name}: the weights of its {np.sum(among)}{which} events{where} sum "
                    f"to {total:.3g}: {advice}"
                )


def spectrum(
    values: FloatArray,
    labelled: Labelled,
    edges: Sequence[float],
    among: NDArray[np.bool_] | bool = True,
) -> Spectrum:
    """Return the histogram of values (n,), by default all, of every process, and of data."""
    simulated = {
        name: histogram(values, labelled.weight, edges, among & of_process)
        for name, of_process in labelled.simulated.items()
    }
    # Of a sample of data there may be no selected event.
    has_data = any(labelled.kind(sample) == "data" for sample in labelled.samples)
    data = counts(values[among & labelled.data], edges) if has_data else None
    chosen = among & (labelled.signal | labelled.background)
    shifts = [
        np.histogram(values[chosen], edges, weights=(weight - labelled.weight)[chosen])[0]
        for weight in varied_weights(labelled.events).values()
    ]
    # By how much variations, in quadrature, lower and raise the events in each bin.
    down, up = (
        tuple(np.sqrt(np.sum(np.maximum(side * np.array(shifts), 0) ** 2, axis=0)).tolist())
        if shifts
        else ()
        for side in (-1, 1)
    )
    return Spectrum(tuple(edges), simulated, data, down, up)


def yields(labelled: Labelled, among: NDArray[np.bool_] | bool = True) -> tuple[Yield, ...]:
    """Return how many events `among` (n,) there are of each process and what is expected of it."""
    kept = [(each, labelled.weight[among & of_sample]) for each, of_sample in labelled.by_sample]
    return tuple(
        Yield(sample.name, len(weight), expected(labelled.kind(sample), weight))
        for sample, weight in kept
    )


class SumsBelow:
    """Sums over the events `among` (n,) whose value (n,), none NaN, is below each of k limits.

    A value equal to the limit is below it where the side is `right`. A replica is one cumulative
    sum.
    """

    def __init__(
        self,
        values: FloatArray,
        among: NDArray[np.bool_],
        limits: ArrayLike,
        side: Literal["left", "right"] = "left",
    ) -> None:
        index = np.flatnonzero(among)
        self._order = index[np.argsort(values[index], kind="stable")]
        self._events_below = np.searchsorted(values[self._order], limits, side=side)

    def __call__(self, weights: FloatArray, times: FloatArray | None = None) -> FloatArray:
        """Return (replicas, k) for weights (replicas, n), each times (n,) a factor if given."""
        ordered = np.take(weights, self._order, axis=1)
        if times is not None:
            ordered *= times[self._order]
        cumulative = np.zeros((len(weights), len(self._order) + 1))
        np.cumsum(ordered, axis=1, out=cumulative[:, 1:])
        return cumulative[:, self._events_below]


class SumsInBins(SumsBelow):
    """Sums over the events whose value is in each of k bins: [low, high), the last [low, high]."""

    def __init__(self, values: FloatArray, among: NDArray[np.bool_], edges: ArrayLike) -> None:
        limits = np.array(edges, np.float64)
        limits[-1] = np.nextafter(limits[-1], np.inf)
        super().__init__(values, among, limits)

    def __call__(self, weights: FloatArray, times: FloatArray | None = None) -> FloatArray:
        """Return (replicas, k) as of `SumsBelow`."""
        return np.diff(super().__call__(weights, times), axis=1)
