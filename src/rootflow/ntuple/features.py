"""The canonical features that a branch map gives, with their units and sources."""

from typing import Literal

from rootflow.config.block import Block
from rootflow.ntuple.branch_map import BranchMap, Column

MOMENTUM = ("pt", "eta", "phi", "energy")
ENERGY_UNITS = ("MeV", "GeV")


class Feature(Block):
    """One number of a jet, a lepton, the MET or the event, and where it comes from."""

    name: str
    unit: Literal["GeV", "rad", "none"]
    branches: tuple[str, ...]


def features_of(branch_map: BranchMap) -> dict[str, tuple[Feature, ...]]:
    """Return the features of jets, leptons, met and event, in the order of the arrays."""
    jets, met = branch_map.jets, branch_map.met
    return {
        "jets": (
            _feature("pt", jets.pt),
            _feature("eta", jets.eta),
            _feature("phi", jets.phi),
            _feature("energy", jets.energy or jets.mass),
            _feature("btag", jets.btag),
            *(_feature(name, column) for name, column in jets.extra.items()),
        ),
        "leptons": (
            _feature("pt", *(leptons.pt for leptons in branch_map.leptons)),
            _feature("eta", *(leptons.eta for leptons in branch_map.leptons)),
            _feature("phi", *(leptons.phi for leptons in branch_map.leptons)),
            _feature("energy", *(leptons.energy or leptons.mass for leptons in branch_map.leptons)),
            _feature(
                "pdg_id", *(leptons.charge or leptons.pdg_id for leptons in branch_map.leptons)
            ),
        ),
        "met": (_feature("pt", met.pt), _feature("phi", met.phi)),
        "event": tuple(_feature(name, column) for name, column in branch_map.event.items()),
    }


def _feature(name: str, *sources: Column | int | None) -> Feature:
    columns = [source for source in sources if isinstance(source, Column)]
    unit = columns[0].unit
    return Feature(
        name=name,
        unit="GeV" if unit in ENERGY_UNITS else unit,  # type: ignore[arg-type]
        branches=tuple(column.branch for column in columns),
    )
