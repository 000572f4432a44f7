"""The canonical features that a branch map gives, with their units and sources."""

from collections.abc import Iterable, Sequence

from rootflow.config.block import Block
from rootflow.ntuple.branch_map import BranchMap, Collection, Leptons
from rootflow.ntuple.units import BranchColumn, unit_of

MOMENTUM = ("pt", "eta", "phi", "energy")


class Feature(Block):
    """One number of an object, the MET or the event, and where it comes from.

    It changes its sign with what `changes_with` names: the charges of all particles, or eta or
    phi of all directions, as in a mirror.
    """

    name: str
    unit: str
    branches: tuple[str, ...]
    changes_with: tuple[str, ...] = ()


def features_of(branch_map: BranchMap) -> dict[str, tuple[Feature, ...]]:
    """Return the features of each collection, met and event that are read, in their order.

    What the map derives of others is not among them.
    """
    features = {name: _of_objects(blocks) for name, blocks in branch_map.blocks().items()}
    if branch_map.met is not None:
        met = branch_map.met
        features["met"] = (feature("pt", "GeV", met.pt), feature("phi", "rad", met.phi))
    features["event"] = tuple(
        feature(name, unit_of(column), column)
        for name, column in branch_map.event_columns().items()
    )
    return features


def _of_objects(blocks: Sequence[Collection]) -> tuple[Feature, ...]:
    sources: dict[str, Iterable[BranchColumn | int | None]] = {
        "pt": (block.pt for block in blocks),
        "eta": (block.eta for block in blocks),
        "phi": (block.phi for block in blocks),
        "energy": (block.energy or block.mass for block in blocks),
    }
    units = {"pt": "GeV", "eta": "none", "phi": "rad", "energy": "GeV"}
    leptons = [block for block in blocks if isinstance(block, Leptons)]
    if leptons:
        charges = [block.charge for block in leptons]
        sources["pdg_id"] = [*charges, *(block.pdg_id for block in leptons)]
    for name, column in blocks[0].numbers().items():
        sources[name] = (block.numbers()[name] for block in blocks)
        units[name] = unit_of(column)
    return tuple(
        feature(name, units.get(name, "none"), *columns) for name, columns in sources.items()
    )


def feature(name: str, unit: str, *sources: BranchColumn | int | None) -> Feature:
    """Return a feature that is made of these branches."""
    columns = [source for source in sources if isinstance(source, BranchColumn)]
    return Feature(
        name=name,
        unit=unit,
        branches=tuple(column.branch for column in columns),
        changes_with=columns[0].changes_with if columns else (),
    )
