"""The arrays that a network takes, and those that it learns."""

from typing import Any

from numpy.typing import NDArray

from rootflow.dataset.events import Events

Arrays = dict[str, NDArray[Any]]


def inputs(events: Events) -> Arrays:
    """Return the network's inputs by name, raw and in GeV."""
    named: Arrays = {
        "jets": events.jets,
        "jet_mask": events.jet_mask,
        "leptons": events.leptons,
        "met": events.met,
    }
    if events.features["event"]:
        named["event"] = events.event
    return named


def targets(events: Events) -> Arrays:
    """Return the truth by the name of the network's output.

    Raises
    ------
    ValueError
        These events have no truth.
    """
    if events.assignment is None or events.neutrinos is None:
        raise ValueError("these events have no truth")
    return {"assignment": events.assignment, "neutrinos": events.neutrinos}
