"""Units of the features."""

from collections.abc import Mapping

from rootflow.dataset.events import Features
from rootflow.errors import UsageError

GEV = "GeV"
NO_UNIT = "none"
Units = Mapping[str, Mapping[str, str]]


def units_of(features: Features, given: Units) -> dict[str, dict[str, str]]:
    """Return the unit of every feature by collection, in the order of the features.

    Raises
    ------
    UsageError
        The unit of a feature is not given.
    """
    units: dict[str, dict[str, str]] = {}
    for collection, names in features.items():
        known = given.get(collection, {})
        for name in names:
            if name not in known:
                raise UsageError(
                    f"export: the unit of the feature {name} of {collection} is not given"
                )
        units[collection] = {name: known[name] for name in names}
    return units
