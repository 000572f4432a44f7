"""Where each canonical quantity is in an ntuple, and in which unit."""

from collections.abc import Container, Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from rootflow.config.block import Block
from rootflow.ntuple.identity import IdentityMap
from rootflow.ntuple.map_files import load_map
from rootflow.ntuple.units import Angle, Anything, Column, Energy, Number

COORDINATES = ("pt", "eta", "phi", "px", "py", "pz", "energy", "mass")


class Coordinates(Block):
    """Columns of momenta."""

    def coordinates(self) -> dict[str, Column]:
        """Return those that are given, by the name of the coordinate and in this order."""
        given = {name: getattr(self, name, None) for name in COORDINATES}
        return {name: column for name, column in given.items() if column is not None}

    def _require_energy_or_mass(self) -> None:
        if ("energy" in self.coordinates()) == ("mass" in self.coordinates()):
            raise ValueError("give either energy or mass")


class Momentum(Coordinates):
    """A momentum: pt, eta, phi or px, py, pz."""

    pt: Energy | None = None
    eta: Number | None = None
    phi: Angle | None = None
    px: Energy | None = None
    py: Energy | None = None
    pz: Energy | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> "Momentum":
        if set(self.coordinates()) - {"energy", "mass"} not in (
            {"pt", "eta", "phi"},
            {"px", "py", "pz"},
        ):
            raise ValueError("give pt, eta and phi, or px, py and pz")
        return self


class FourMomentum(Momentum):
    """A momentum with mass or energy."""

    mass: Energy | None = None
    energy: Energy | None = None

    @model_validator(mode="after")
    def _has_energy(self) -> "FourMomentum":
        self._require_energy_or_mass()
        return self


class DecayProduct(Momentum):
    """A decay product of a W boson, a neutrino or a charged lepton where its pdg_id says so."""

    pdg_id: Number | None = Field(None, description="none: it is the one meant in every event")


class Collection(Coordinates):
    """Branches with a list for each event: the momenta of jets or leptons."""

    pt: Energy
    eta: Number
    phi: Angle
    energy: Energy | None = None
    mass: Energy | None = None

    @model_validator(mode="after")
    def _has_energy(self) -> "Collection":
        self._require_energy_or_mass()
        return self


class Jets(Collection):
    """Branches with one number for each jet."""

    btag: Number
    extra: dict[str, Anything] = Field({}, description="more features, by name")

    @model_validator(mode="after")
    def _extra_is_new(self) -> "Jets":
        for name in self.extra:
            if name in type(self).model_fields:
                raise ValueError(
                    f"extra.{name}: jets have a quantity of that name; give it another name"
                )
        return self


class Leptons(Collection):
    """Branches with one number for each lepton of one collection."""

    charge: Number | None = Field(None, description="none: the sign of pdg_id says it")
    pdg_id: Literal[11, 13, 15] | Number = Field(
        description="what all of them are, or a branch that says it"
    )

    @model_validator(mode="after")
    def _has_charge(self) -> "Leptons":
        if self.charge is None and isinstance(self.pdg_id, int):
            raise ValueError("say the branch of the charge, or of a signed pdg_id")
        return self


class MissingMomentum(Block):
    """The missing transverse momentum."""

    pt: Energy
    phi: Angle


class TrueAssignment(Block):
    """Where the jets of b and bbar are among the jets as the ntuple orders them, or -1."""

    b: Number
    bbar: Number


def _told_apart(candidates: list[DecayProduct]) -> list[DecayProduct]:
    if len(candidates) > 1 and any(one.pdg_id is None for one in candidates):
        raise ValueError("several candidates: each needs a pdg_id to be told apart")
    return candidates


Candidates = Annotated[list[DecayProduct], Field(min_length=1), AfterValidator(_told_apart)]


class TrueNeutrinos(Block):
    """Neutrino (of the t) and antineutrino (of the tbar): the candidates for each."""

    neutrino: Candidates
    antineutrino: Candidates


class TrueLeptons(Block):
    """The charged leptons of the W bosons, positive (of the t) and negative (of the tbar)."""

    positive: Candidates
    negative: Candidates


class TrueTops(Block):
    """The generated top quarks."""

    top: FourMomentum
    antitop: FourMomentum


class ReconstructedNeutrinos(Block):
    """Neutrino and antineutrino as another reconstruction left them in the ntuple."""

    neutrino: Momentum
    antineutrino: Momentum


class Truth(Block):
    """What the generator says; leave out what the ntuple does not have."""

    assignment: TrueAssignment | None = None
    neutrinos: TrueNeutrinos | None = None
    leptons: TrueLeptons | None = None
    tops: TrueTops | None = None


class BranchMap(IdentityMap):
    """Where each canonical quantity is in an ntuple, and in which unit."""

    tree: str
    event_number: Number
    weights: list[Number] = Field(
        default_factory=list, description="their product is the weight; none: 1"
    )
    systematic_weights: dict[str, list[Number]] = Field(
        {}, description="by variation: the product of these stands in place of the weight"
    )
    jets: Jets
    leptons: list[Leptons] = Field(min_length=1, description="collections, read as one")
    met: MissingMomentum
    event: dict[str, Anything] = Field({}, description="features of the event, by name")
    neutrinos: ReconstructedNeutrinos | None = None
    truth: Truth = Truth()
    may_lack: list[str] = Field(
        default_factory=list, description="branches of identity that a file may lack"
    )

    @model_validator(mode="after")
    def _can_do_without(self) -> "BranchMap":
        for branch in self.may_lack:
            if branch not in self.beside_number():
                raise ValueError(f"may_lack: '{branch}' is no branch of identity but event_number")
        return self

    def as_in(self, there: Container[str]) -> "BranchMap":
        """Return the map of a file with these branches: without those that it may lack."""
        if not self.may_lack:
            return self
        lacking = {branch for branch in self.may_lack if branch not in there}
        left = [column for column in self.identity if column.branch not in lacking]
        return self.model_copy(update={"identity": left, "may_lack": []})

    def branches(self) -> list[str]:
        """Return the branches that are read, each once."""
        return list(dict.fromkeys(column.branch for column in all_columns(self)))


def load_branch_map(name: str) -> BranchMap:
    """Return the branch map of that name, or in that YAML file.

    Raises
    ------
    UsageError
        There is no such map, or it says something that cannot be.
    """
    return load_map(BranchMap, "ttbar", name)


def all_columns(value: Any) -> Iterator[Column]:
    """Yield every column that a part of a map names."""
    if isinstance(value, Column):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from all_columns(getattr(value, name))
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from all_columns(part)
