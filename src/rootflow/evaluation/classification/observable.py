"""What is drawn of events beside the score, and must not be sculpted by it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rootflow import plugins
from rootflow.config import ClassificationEvaluationConfig
from rootflow.dataset.events import Events
from rootflow.errors import InputError, UsageError
from rootflow.evaluation.bootstrap import FloatArray
from rootflow.ntuple import Feature

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


def check_finite(name: str, values: FloatArray, events: Events) -> None:
    """Refuse values of events that are not finite, and say of which event the first is."""
    broken = ~np.isfinite(values)
    if np.any(broken):
        raise InputError(
            f"{name} of {np.sum(broken)} of {len(events)} events to evaluate on is not "
            f"finite, the first is {events.in_words(int(np.argmax(broken)))}"
        )


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
