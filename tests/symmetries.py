"""Changes of an event that leave its physics alone."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset import Events

ANGLE = 2.1


def turn(events: Events) -> Events:
    """Turn every event about the beam by one angle."""
    return _change(events, phi=lambda phi: (phi + ANGLE + np.pi) % (2 * np.pi) - np.pi)


def reflect_y(events: Events) -> Events:
    return _change(events, phi=lambda phi: -phi)


def reflect_z(events: Events) -> Events:
    return _change(events, eta=lambda eta: -eta)


def exchange_charges(events: Events) -> Events:
    """Exchange the leptons, which are kept positive charge first."""
    leptons = events.leptons[:, ::-1].copy()
    leptons[..., events.features["leptons"].index("pdg_id")] *= -1
    return replace(events, leptons=leptons)


def momenta_after(change: object, momenta: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return px, py, pz as `change` leaves them."""
    px, py, pz = np.moveaxis(momenta, -1, 0)
    if change is turn:
        cosine, sine = np.cos(ANGLE), np.sin(ANGLE)
        px, py = cosine * px - sine * py, sine * px + cosine * py
    elif change is reflect_y:
        py = -py
    elif change is reflect_z:
        pz = -pz
    return np.stack([px, py, pz], axis=-1)


def _change(events: Events, **columns: object) -> Events:
    arrays = {}
    for name in ("jets", "leptons", "met"):
        array = getattr(events, name).copy()
        for column, changed in columns.items():
            if column in events.features[name]:
                place = events.features[name].index(column)
                array[..., place] = changed(array[..., place])
        arrays[name] = array
    arrays["jets"] *= events.jet_mask[..., None]
    return replace(events, **arrays)
