"""What models say of events."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.results import Counts as Counts
from rootflow.evaluation.results import Process as Process
from rootflow.evaluation.results import Spectrum as Spectrum
from rootflow.evaluation.results import Yield as Yield


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
