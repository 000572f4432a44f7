"""Where the momenta of a branch map are, and what the generator and other reconstructions say."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from rootflow.config.block import Block
from rootflow.ntuple.units import Angle, BranchColumn, Energy, Number

COORDINATES = ("pt", "eta", "phi", "px", "py", "pz", "energy", "mass")


class Coordinates(Block):
    """Columns of momenta."""

    def coordinates(self) -> dict[str, BranchColumn]:
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


class TruthMap(Block):
    """What the generator says; leave out what the ntuple does not have."""

    assignment: TrueAssignment | None = None
    neutrinos: TrueNeutrinos | None = None
    leptons: TrueLeptons | None = None
    tops: TrueTops | None = None
