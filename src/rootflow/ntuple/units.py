"""Columns of branches with their units, momenta of several, and units in formulas."""

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat, model_validator

from rootflow.config.block import Block


class BranchColumn(Block):
    """A branch, or one place of a branch that holds an array of fixed length."""

    branch: str
    unit: Literal["MeV", "GeV", "rad", "none"] = "none"
    index: int | None = Field(None, ge=0, description="place in an array of fixed length")
    charge: Literal["odd"] | None = Field(
        None, description="odd: changes its sign where all particles are antiparticles"
    )
    reflection: Literal["odd", "eta", "phi"] | None = Field(
        None,
        description="changes its sign as eta does in a mirror across the beam (z0), as phi does "
        "in one along the beam (d0), or in either (odd)",
    )

    @property
    def changes_with(self) -> tuple[str, ...]:
        """Under what the number changes its sign: charge, eta, phi."""
        mirrors = {"odd": ("eta", "phi"), None: ()}.get(self.reflection, (self.reflection or "",))
        return (*(["charge"] if self.charge else []), *mirrors)


def unit_of(column: BranchColumn) -> str:
    """Return the unit in which a branch is kept."""
    return "GeV" if column.unit == "MeV" else column.unit


class EnergyColumn(BranchColumn):
    """A branch of energies, momenta or masses: its unit must be said."""

    unit: Literal["MeV", "GeV"]


class AngleColumn(BranchColumn):
    """A branch of angles."""

    unit: Literal["rad"] = "rad"


class NumberColumn(BranchColumn):
    """A branch of plain numbers."""

    unit: Literal["none"] = "none"


class FlavourColumn(NumberColumn):
    """A branch that says what leptons are: by the PDG's codes, or by others that are given."""

    codes: dict[int, Literal[11, 13, 15]] | None = Field(
        None, description="the PDG's code of each that the branch has; none: it has the PDG's"
    )


def _from_name(value: Any) -> Any:
    return {"branch": value} if isinstance(value, str) else value


# Where the unit is plain, the name of the branch is enough.
Energy = Annotated[EnergyColumn, BeforeValidator(_from_name)]
Angle = Annotated[AngleColumn, BeforeValidator(_from_name)]
Number = Annotated[NumberColumn, BeforeValidator(_from_name)]
Flavour = Annotated[FlavourColumn, BeforeValidator(_from_name)]
# Where it may be anything, the name alone is that of a plain number.
Anything = Annotated[BranchColumn, BeforeValidator(_from_name)]


class Dimension(NamedTuple):
    """A unit: the powers of GeV and of rad in it."""

    gev: float = 0
    rad: float = 0

    def __str__(self) -> str:
        powers = {"GeV": self.gev, "rad": self.rad}
        parts = [
            name if power == 1 else f"{name}^{power:g}" for name, power in powers.items() if power
        ]
        return " ".join(parts) or "none"


PLAIN, RAD = Dimension(), Dimension(rad=1)
# A unit, or None for that of a literal number, which may be any.
Unit = Dimension | None


class UnlikeUnitsError(Exception):
    """Units do not go together: the message says which."""


def unit_named(name: str) -> Dimension:
    """Return the unit that is written so: GeV, rad, none, or powers of them such as GeV^0.5."""
    powers = dict.fromkeys(("GeV", "rad"), 0.0)
    for part in name.split() if name != "none" else ():
        base, _, power = part.partition("^")
        powers[base] += float(power or 1)
    return Dimension(powers["GeV"], powers["rad"])


def like(*units: Unit) -> Unit:
    """Return the one unit of all."""
    said = {unit: None for unit in units if unit is not None}
    if len(said) > 1:
        raise UnlikeUnitsError(" and ".join(str(unit) for unit in said))
    return next(iter(said), None)


def require_unit(wanted: Dimension, *units: Unit) -> None:
    """Refuse units other than the wanted one."""
    for unit in units:
        if unit not in (None, wanted):
            raise UnlikeUnitsError(f"{unit}, not {wanted}")


def product(left: Unit, right: Unit, sign: int = 1) -> Unit:
    """Return the unit of a product, or with the sign -1 of a ratio."""
    if left is None and right is None:
        return None
    left, right = left or PLAIN, right or PLAIN
    return Dimension(left.gev + sign * right.gev, left.rad + sign * right.rad)


def power(unit: Unit, exponent: float) -> Unit:
    """Return the unit of a power."""
    return None if unit is None else Dimension(unit.gev * exponent, unit.rad * exponent)


COORDINATES = ("pt", "eta", "phi", "px", "py", "pz", "energy", "mass")


class Coordinates(Block):
    """Columns of momenta."""

    def coordinates(self) -> dict[str, BranchColumn]:
        """Return those that are given, by the name of the coordinate and in this order."""
        given = {name: getattr(self, name, None) for name in COORDINATES}
        return {name: column for name, column in given.items() if column is not None}


class WithEnergy(Coordinates):
    """Columns of momenta, and of energies or masses."""

    @model_validator(mode="after")
    def _has_energy(self) -> Self:
        if ("energy" in self.coordinates()) == ("mass" in self.coordinates()):
            raise ValueError("give either energy or mass")
        return self


class Momentum(Coordinates):
    """A momentum: pt, eta, phi or px, py, pz."""

    pt: Energy | None = None
    eta: Number | None = None
    phi: Angle | None = None
    px: Energy | None = None
    py: Energy | None = None
    pz: Energy | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if set(self.coordinates()) - {"energy", "mass"} not in (
            {"pt", "eta", "phi"},
            {"px", "py", "pz"},
        ):
            raise ValueError("give pt, eta and phi, or px, py and pz")
        return self


class FourMomentum(WithEnergy, Momentum):
    """A momentum with mass or energy."""

    mass: Energy | None = None
    energy: Energy | None = None


class DecayProduct(Momentum):
    """A decay product of a W boson, a neutrino or a charged lepton where its pdg_id says so."""

    pdg_id: Number | None = Field(None, description="none: it is the one meant in every event")


class TrueAssignment(Block):
    """Where the jets of b and bbar are among the jets as the ntuple orders them, or -1.

    Where `parton` is given, they are the jets for which it says these numbers.
    """

    b: Number | int
    bbar: Number | int
    parton: Number | None = Field(
        None, description="branch with one number for each jet: the parton that it is matched to"
    )

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        kind = BranchColumn if self.parton is None else int
        if not isinstance(self.b, kind) or not isinstance(self.bbar, kind):
            raise ValueError(
                "b and bbar are branches with the places of their jets, or with parton the "
                "numbers of that branch that mean them"
            )
        if self.b == self.bbar:
            raise ValueError("b and bbar are not the same")
        return self


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


class GeneratedParticles(Block):
    """Lists of generated particles with their mothers, as NanoAOD's GenPart is."""

    pdg_id: Number
    mother: Number = Field(description="place of the mother in the same list, -1 for none")
    status_flags: Number = Field(description="bits of CMS, as statusFlags of NanoAOD")
    pt: Energy
    eta: Number
    phi: Angle
    mass: Energy = Field(description="of top quarks: NanoAOD leaves that of most others out")


class JetMatching(Block):
    """How the jets of b and bbar are found: that of each quark is the nearest within the radius.

    Where one jet is the nearest to both quarks, it is that of the nearer one, and the other has
    none (nearer) or the next jet within the radius (next); or neither quark has it (neither).
    """

    radius: PositiveFloat = Field(0.4, description="in eta and phi")
    ambiguity: Literal["nearer", "next", "neither"] = "nearer"


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
    particles: GeneratedParticles | None = Field(
        None, description="instead of these: what tops decay to is found among them"
    )
    matching: JetMatching | None = Field(
        None, description="of jets with the quarks among the particles; none: no assignment"
    )

    @model_validator(mode="after")
    def _is_said_once(self) -> Self:
        given = (self.assignment, self.neutrinos, self.leptons, self.tops)
        if self.particles is not None and any(given):
            raise ValueError(
                "particles say of assignment, neutrinos, leptons and tops: give either"
            )
        if self.matching is not None and self.particles is None:
            raise ValueError("matching is of jets with quarks among particles: say these")
        return self

    def gives(self) -> tuple[str, ...]:
        """Return what it says, by the names of arrays of a dataset."""
        given = {
            "assignment": self.assignment or self.matching,
            "neutrinos": self.neutrinos or self.particles,
            "true_leptons": self.leptons or self.particles,
            "tops": self.tops or self.particles,
        }
        return tuple(name for name, part in given.items() if part is not None)
