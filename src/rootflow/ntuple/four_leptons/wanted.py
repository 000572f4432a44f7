"""What is read beside the momenta and flavours of leptons."""

from typing import NamedTuple

from rootflow.config.samples import FourLeptonSelectionConfig
from rootflow.errors import UsageError
from rootflow.ntuple.four_leptons.branch_map import FourLeptonMap

TRIGGERS = "triggers"

# What the cuts need of the branch map, by their keys.
NEEDED = {
    "trigger": TRIGGERS,
    "tight_leptons_min": "tight",
    "ptcone30_over_pt_max": "ptcone30",
    "etcone20_over_pt_max": "etcone20",
    "electron_d0_significance_max": "d0_significance",
    "muon_d0_significance_max": "d0_significance",
    "z0_sin_theta_max_mm": "z0_mm",
}

# How a cut is switched off, where not with null.
OFF = {"trigger": "false", "tight_leptons_min": "0"}


class Wanted(NamedTuple):
    """What is read beside the momenta and flavours of leptons.

    Attributes
    ----------
    quantities
        Of leptons, and "triggers", as the map names them.
    weights, cross_section, sum_of_weights
        Whether these are read.
    """

    quantities: tuple[str, ...] = ()
    weights: bool = False
    cross_section: bool = False
    sum_of_weights: bool = False

    @property
    def of_leptons(self) -> tuple[str, ...]:
        """The quantities of leptons."""
        return tuple(name for name in self.quantities if name != TRIGGERS)


def quantities_for(
    selection: FourLeptonSelectionConfig | None, branch_map: FourLeptonMap, name: str
) -> tuple[str, ...]:
    """Return what the cuts need, as the map names it.

    Parameters
    ----------
    selection
        None: no cuts.
    name
        Of the map.

    Raises
    ------
    UsageError
        The map does not name it.
    """
    asked = {key: quantity for key, quantity in NEEDED.items() if getattr(selection, key, None)}
    unknown = {key: quantity for key, quantity in asked.items() if not _names(branch_map, quantity)}
    if unknown:
        needs = ", ".join(dict.fromkeys(unknown.values()))
        off = ", ".join(f"{key}={OFF.get(key, 'null')}" for key in unknown)
        raise UsageError(
            f"data.selection: the branch map {name} does not name {needs}: switch off the cuts "
            f"that need it ({off})"
        )
    return tuple(dict.fromkeys(asked.values()))


def _names(branch_map: FourLeptonMap, quantity: str) -> bool:
    if quantity == TRIGGERS:
        return bool(branch_map.triggers)
    return all(getattr(leptons, quantity) is not None for leptons in branch_map.leptons)
