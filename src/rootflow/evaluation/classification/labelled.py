"""The events of an evaluation, by what they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import BACKGROUND, DATA, SIGNAL, Events
from rootflow.dataset.manifest import Sample
from rootflow.dataset.weights import effective_events
from rootflow.errors import InputError
from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.results import Estimate

NOWHERE = -1

# With fewer, neither a background estimate nor the error of anything means much: 20 %.
EFFECTIVE_EVENTS_MIN = 25.0


@dataclass(frozen=True)
class Labelled:
    """n events of simulation, and of data if there are any.

    Attributes
    ----------
    events, samples
        As the dataset gives them.
    weight
        (n,) events expected in data; data: 1.
    signal, background, data
        (n,) bool.
    m4l
        (n,) mass of the four leptons, GeV.
    """

    events: Events
    samples: tuple[Sample, ...]
    weight: FloatArray
    signal: NDArray[np.bool_]
    background: NDArray[np.bool_]
    data: NDArray[np.bool_]
    m4l: FloatArray

    @classmethod
    def of(cls, events: Events, samples: Sequence[Sample]) -> Self:
        """Return the events, checked.

        Raises
        ------
        InputError
            They have no labels or no m4l, a number is not finite, a sample has no positive
            sum of weights, or signal or background has too few events.
        """
        if events.label is None or events.sample is None:
            raise InputError(
                "an evaluation of classifiers needs events with labels and samples; "
                "this dataset has none: is it of another analysis?"
            )
        if "m4l" not in events.features["event"]:
            raise InputError(
                "an evaluation of classifiers shows m4l, which the dataset has not among its "
                f"event features: {', '.join(events.features['event'])}"
            )
        m4l = events.event[:, events.features["event"].index("m4l")].astype(np.float64)
        for name, values in (("weight", events.weight), ("m4l", m4l)):
            broken = ~np.isfinite(values)
            if np.any(broken):
                raise InputError(
                    f"{name} of {np.sum(broken)} of {len(events)} events to evaluate on is not "
                    f"finite, the first is {events.in_words(int(np.argmax(broken)))}"
                )
        found = cls(
            events=events,
            samples=tuple(samples),
            weight=np.asarray(events.weight, np.float64),
            signal=np.asarray(events.label == SIGNAL),
            background=np.asarray(events.label == BACKGROUND),
            data=np.asarray(events.label == DATA),
            m4l=m4l,
        )
        found._check_samples()
        found._check_classes("")
        return found

    def _check_samples(self) -> None:
        for name, among in self.simulated.items():
            if np.sum(self.weight[among]) <= 0:
                raise InputError(
                    f"sample {name}: the weights of its {np.sum(among)} selected events sum to "
                    f"{np.sum(self.weight[among]):.3g}: nothing can be expected of it"
                )

    def _check_classes(self, where: str) -> None:
        for name, among in (("signal", self.signal), ("background", self.background)):
            enough = effective_events(self.weight[among])
            if enough < EFFECTIVE_EVENTS_MIN:
                raise InputError(
                    f"{np.sum(among)} events of {name} to evaluate on{where}, as good as "
                    f"{enough:.1f} of equal weight: at least {EFFECTIVE_EVENTS_MIN:.0f} are needed"
                )

    def __len__(self) -> int:
        return len(self.weight)

    @cached_property
    def by_sample(self) -> tuple[tuple[Sample, NDArray[np.bool_]], ...]:
        """Every sample with (n,) bool, its events."""
        return tuple(
            (sample, np.asarray(self.events.sample == place))
            for place, sample in enumerate(self.samples)
        )

    @property
    def simulated(self) -> dict[str, NDArray[np.bool_]]:
        """(n,) bool of each simulated sample, by its name."""
        return {sample.name: among for sample, among in self.by_sample if sample.label != "data"}

    @property
    def backgrounds(self) -> dict[str, NDArray[np.bool_]]:
        """(n,) bool of each sample of background, by its name."""
        return {s.name: among for s, among in self.by_sample if s.label == "background"}

    @property
    def has_data(self) -> bool:
        """Whether there is a sample of data, be it without a selected event."""
        return any(sample.label == "data" for sample in self.samples)

    def simulation(self) -> Self:
        """Return the events that are not data."""
        chosen = np.flatnonzero(~self.data)
        return type(self)(
            events=self.events.take(chosen),
            samples=self.samples,
            weight=self.weight[chosen],
            signal=self.signal[chosen],
            background=self.background[chosen],
            data=self.data[chosen],
            m4l=self.m4l[chosen],
        )

    def within(self, window: tuple[float, float] | None) -> Self:
        """Return the same n events; those with m4l outside the window belong to nothing.

        Raises
        ------
        InputError
            Signal or background has too few events within, or the weights of a sample there
            have a negative sum.
        """
        if window is None:
            return self
        inside = (self.m4l >= window[0]) & (self.m4l < window[1])
        found = replace(
            self,
            events=replace(
                self.events, sample=np.where(inside, np.asarray(self.events.sample), NOWHERE)
            ),
            signal=self.signal & inside,
            background=self.background & inside,
            data=self.data & inside,
        )
        where = f" with m4l from {window[0]:g} to {window[1]:g} GeV"
        found._check_classes(where)
        for name, among in found.simulated.items():
            if np.sum(found.weight[among]) < 0:
                raise InputError(
                    f"sample {name}: the weights of its {np.sum(among)} events{where} sum to "
                    f"{np.sum(found.weight[among]):.3g}: a wider window or more events are needed"
                )
        return found

    def expected(self, among: NDArray[np.bool_]) -> Estimate:
        """Return the sum of weights with the square root of the sum of their squares."""
        weight = self.weight[among]
        return Estimate(float(np.sum(weight)), float(np.sqrt(np.sum(weight**2))))
