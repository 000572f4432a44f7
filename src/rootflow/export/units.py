"""Units of the canonical features."""

from collections.abc import Mapping

from rootflow.dataset.events import Features
from rootflow.errors import UsageError

GEV = "GeV"
Units = Mapping[str, Mapping[str, str]]

CANONICAL = {
    "pt": GEV,
    "energy": GEV,
    "mass": GEV,
    "eta": "none",
    "phi": "rad",
    "btag": "none",
    "pdg_id": "none",
    "charge": "none",
}


def units_of(features: Features, given: Units) -> dict[str, dict[str, str]]:
    """Return the unit of every feature by collection: as given, else the canonical one.

    Raises
    ------
    UsageError
        A feature is not canonical, and its unit is not given.
    """
    units: dict[str, dict[str, str]] = {}
    for collection, names in features.items():
        known = {**CANONICAL, **given.get(collection, {})}
        for name in names:
            if name not in known:
                raise UsageError(
                    f"export: the unit of the feature {name} of {collection} is not known; "
                    "say it in the branch map"
                )
        units[collection] = {name: known[name] for name in names}
    return units
