"""The canonical features of four-lepton events, with their units and sources."""

from collections.abc import Iterable

from rootflow.ntuple.features import Feature, Unit
from rootflow.ntuple.four_leptons.branch_map import FourLeptonMap
from rootflow.ntuple.units import Column
from rootflow.physics.four_leptons import FEATURES


def features_of(branch_map: FourLeptonMap) -> dict[str, tuple[Feature, ...]]:
    """Return the features of leptons and event, in the order of the arrays.

    Jets and MET have none. What is computed from the leptons names no branches.
    """
    leptons = branch_map.leptons
    return {
        "jets": (),
        "leptons": (
            _feature("pt", "GeV", (one.pt for one in leptons)),
            _feature("eta", "none", (one.eta for one in leptons)),
            _feature("phi", "rad", (one.phi for one in leptons)),
            _feature("energy", "GeV", (one.energy or one.mass for one in leptons)),
            _feature(
                "pdg_id",
                "none",
                (column for one in leptons for column in (one.charge, one.pdg_id)),
            ),
        ),
        "met": (),
        "event": (
            _feature("jet_n", "none", [branch_map.jet_n]),
            *(Feature(name=name, unit=unit, branches=()) for name, unit in FEATURES),
            *(
                _feature(name, "GeV" if column.unit == "MeV" else column.unit, [column])
                for name, column in branch_map.event.items()
            ),
        ),
    }


def _feature(name: str, unit: Unit, sources: Iterable[Column | int | None]) -> Feature:
    columns = (source for source in sources if isinstance(source, Column))
    return Feature(name=name, unit=unit, branches=tuple(column.branch for column in columns))
