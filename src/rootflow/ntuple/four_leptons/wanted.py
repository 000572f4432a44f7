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
    keys_of: dict[str, list[str]] = {}
    for key, quantity in NEEDED.items():
        if getattr(selection, key, None):
            keys_of.setdefault(quantity, []).append(f"data.selection.{key}")
    for quantity, keys in keys_of.items():
        if not _names(branch_map, quantity):
            off = {TRIGGERS: "false", "tight": "0"}.get(quantity, "null")
            raise UsageError(
                f"{' and '.join(keys)}: the branch map {name} does not name '{quantity}': "
                f"switch the cut off with {off}"
            )
    return tuple(keys_of)


def _names(branch_map: FourLeptonMap, quantity: str) -> bool:
    if quantity == TRIGGERS:
        return bool(branch_map.triggers)
    return all(getattr(leptons, quantity) is not None for leptons in branch_map.leptons)
