"""The samples of an evaluation, what models say of them, and their spectra."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.results import Estimate, Histogram


class Scored(NamedTuple):
    """What one model says of n events.

    Attributes
    ----------
    name
        The model's.
    scores
        (n,) probability of signal, by the model that has not seen the event.
    scores_in_training
        (n,) by a model that has trained on the event; NaN for data, which none has, and
        everywhere where no event is known to have been trained on.
    """

    name: str
    scores: NDArray[np.float64]
    scores_in_training: NDArray[np.float64]


class Process(NamedTuple):
    """One sample as it is selected, before any cut on a score.

    Attributes
    ----------
    name, title
        In tables, and in figures (may have LaTeX).
    label
        What it is to the models.
    events
        How many there are, without weights.
    expected
        Sum of weights and the square root of the sum of squared weights; None for data.
    pseudo_data
        Of data: whether it is simulation that stands for collisions.
    """

    name: str
    title: str
    label: Literal["signal", "background", "data"]
    events: int
    expected: Estimate | None
    pseudo_data: bool = False


class Yield(NamedTuple):
    """What is left of a process after the best cut; as `Process`."""

    process: str
    events: int
    expected: Estimate | None


class Counts(NamedTuple):
    """Events of data in bins, with the limits of the central 68.27 % interval of each mean.

    F. Garwood, Biometrika 28 (1936) 437: limits by the chi2 distribution; the lower one of
    zero events is zero. They are the ends of the error bars, not their lengths.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]


class Spectrum(NamedTuple):
    """A quantity's histogram of each simulated process, by its name, and of data.

    All have the same edges. `data` is None where there is none.
    """

    edges: tuple[float, ...]
    processes: dict[str, Histogram]
    data: Counts | None
