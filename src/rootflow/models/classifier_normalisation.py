"""Means and scales of what a classifier sees, taken from training events."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from keras import ops
from numpy.typing import NDArray

from rootflow.config import InputsConfig
from rootflow.dataset.events import Events
from rootflow.models.classifier_inputs import Represent, chosen_inputs, refuse_unknown_inputs
from rootflow.models.normalisation import Row, moments


class ClassifierNormalisation(NamedTuple):
    """Mean and scale of every column that is seen, for `leptons` and `event`.

    The four leptons share theirs.
    """

    means: dict[str, Row]
    scales: dict[str, Row]


def fit_classifier_normalisation(
    chunks: Iterable[tuple[Events, NDArray[np.floating]]], inputs: InputsConfig
) -> ClassifierNormalisation:
    """Return the normalisation of events and their weights, whose signs do not count.

    Raises
    ------
    UsageError
        An input is chosen that the events do not have.
    """
    sums: dict[str, NDArray[np.float64]] = {}
    for events, weight in chunks:
        refuse_unknown_inputs(inputs, events.features)
        for name, chosen in chosen_inputs(inputs).items():
            seen = Represent(name, events.features[name], chosen)(getattr(events, name))
            rows = ops.convert_to_numpy(seen).astype(np.float64)
            rows = rows.reshape(len(events), -1, rows.shape[-1])
            powers = np.stack([np.ones_like(rows), rows, rows**2])
            sums[name] = sums.get(name, 0.0) + np.einsum("i,pijf->pf", np.abs(weight), powers)
    found = {name: moments(*powers) for name, powers in sums.items()}
    return ClassifierNormalisation(
        {name: tuple(mean.tolist()) for name, (mean, _) in found.items()},
        {name: tuple(scale.tolist()) for name, (_, scale) in found.items()},
    )
