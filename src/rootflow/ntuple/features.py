"""The canonical features that a branch map gives, with their units and sources."""

from collections.abc import Sequence
from typing import Literal

from rootflow.config.block import Block
from rootflow.ntuple.branch_map import BranchMap, Collection
from rootflow.ntuple.units import Column

Unit = Literal["GeV", "rad", "none"]
MOMENTUM = ("pt", "eta", "phi", "energy")


class Feature(Block):
    """One number of a jet, a lepton, the MET or the event, and where it comes from."""

    name: str
    unit: Unit
    branches: tuple[str, ...]


def features_of(branch_map: BranchMap) -> dict[str, tuple[Feature, ...]]:
    """Return the features of jets, leptons, met and event, in the order of the arrays."""
    jets, leptons, met = branch_map.jets, branch_map.leptons, branch_map.met
    return {
        "jets": (
            *_momentum([jets]),
            _feature("btag", jets.btag),
            *(_feature(name, column) for name, column in jets.extra.items()),
        ),
        "leptons": (
            *_momentum(leptons),
            _feature("pdg_id", *(one.charge for one in leptons), *(one.pdg_id for one in leptons)),
        ),
        "met": (_feature("pt", met.pt), _feature("phi", met.phi)),
        "event": tuple(_feature(name, column) for name, column in branch_map.event.items()),
    }


def _momentum(collections: Sequence[Collection]) -> list[Feature]:
    columns = [list(collection.coordinates().values()) for collection in collections]
    sources = zip(MOMENTUM, zip(*columns, strict=True), strict=True)
    return [_feature(name, *of_feature) for name, of_feature in sources]


def _feature(name: str, *sources: Column | int | None) -> Feature:
    columns = [source for source in sources if isinstance(source, Column)]
    unit = columns[0].unit
    return Feature(
        name=name,
        unit="GeV" if unit == "MeV" else unit,
        branches=tuple(column.branch for column in columns),
    )
