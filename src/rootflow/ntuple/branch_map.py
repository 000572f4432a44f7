"""Where each canonical quantity is in an ntuple, and in which unit."""

from collections.abc import Container, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from annotated_types import MinLen
from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PositiveFloat,
    Tag,
    model_validator,
)

from rootflow.config.block import Block, Name
from rootflow.ntuple.conditions import SLOT, Where, all_columns
from rootflow.ntuple.sums_of_weights import SumOfWeights
from rootflow.ntuple.units import (
    Angle,
    Anything,
    BranchColumn,
    Coordinates,
    Energy,
    Flavour,
    Number,
    NumberColumn,
    ReconstructedNeutrinos,
    TruthMap,
    WithEnergy,
)

# Of leptons, for cuts.
QUANTITIES = ("tight", "ptcone30", "etcone20", "d0_significance", "z0_mm")
FOUR = 4


class Derived(Block):
    """A feature that is computed of others."""

    expression: str


def _expression(value: Any) -> Any:
    return {"expression": value} if isinstance(value, str) else value


def _kind(value: Any) -> str:
    has = isinstance(value, Derived) or (isinstance(value, dict) and "expression" in value)
    return "an expression" if has or (isinstance(value, str) and "(" in value) else "a branch"


# A branch, or an expression: text with parentheses is one.
Source = Annotated[
    Annotated[Derived, BeforeValidator(_expression), Tag("an expression")]
    | Annotated[Anything, Tag("a branch")],
    Discriminator(_kind),
]


class Collection(Coordinates):
    """Branches with a list for each event: the momenta of objects of one kind, and more."""

    pt: Energy
    eta: Number
    phi: Angle
    energy: Energy | None = None
    mass: Energy | None = Field(None, description="neither energy nor mass: massless")
    present: Number | None = Field(
        None, description="zero where lists are padded after their last object; none: they are not"
    )
    extra: dict[str, Source] = Field({}, description="more features, by name")
    where: Where | None = Field(
        None,
        description="expression over branches: objects for which it is false do not count",
    )
    apart_from: dict[str, PositiveFloat] = Field(
        {},
        description="by collection: objects nearer in eta and phi to one that counts do not count",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.energy is not None and self.mass is not None:
            raise ValueError("give energy or mass, or neither")
        for name in self.extra:
            if name in type(self).model_fields:
                raise ValueError(
                    f"extra.{name}: there is a quantity of that name; give it another name"
                )
        if self.where is not None:
            self.where.of_objects(all_columns(self))
        return self

    def numbers(self) -> dict[str, BranchColumn]:
        """Return the columns of its features beside the momentum, by name and in order."""
        return _read_of(self.extra)

    def quantities(self) -> dict[str, BranchColumn]:
        """Return the columns of what cuts may look at and is no feature."""
        return {}


class Jets(WithEnergy, Collection):
    """Branches with one number for each jet."""

    btag: Number | None = None
    weights: list[Number] = Field(
        default_factory=list, description="more factors of the weight of events whose jets are read"
    )

    def numbers(self) -> dict[str, BranchColumn]:
        """Return the columns of its features beside the momentum, by name and in order."""
        return ({} if self.btag is None else {"btag": self.btag}) | super().numbers()


class Leptons(Collection):
    """Branches with one number for each lepton."""

    mass: Energy | None = Field(None, description="neither energy nor mass: that of the flavour")
    charge: Number | None = Field(None, description="none: the sign of pdg_id says it")
    pdg_id: Literal[11, 13, 15] | Flavour = Field(
        description="what all of them are, or a branch that says it"
    )
    tight: Number | None = Field(None, description="not zero: passes the tight identification")
    ptcone30: Energy | None = Field(None, description="pT of other tracks within dR 0.3")
    etcone20: Energy | None = Field(None, description="other transverse energy within dR 0.2")
    d0_significance: Number | None = None
    z0_mm: Number | None = Field(None, description="along the beam, from the vertex")

    @model_validator(mode="after")
    def _has_charge(self) -> Self:
        if self.charge is None and (isinstance(self.pdg_id, int) or self.pdg_id.codes):
            raise ValueError("say the branch of the charge, or of a signed pdg_id")
        return self

    def quantities(self) -> dict[str, BranchColumn]:
        """Return the columns of what cuts may look at and is no feature."""
        named = {name: getattr(self, name) for name in QUANTITIES}
        return {name: column for name, column in named.items() if column is not None}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, dict | Collection) else value


# What is read as one: one block, or a list of them.
AsOne = BeforeValidator(_listed)


class MissingMomentum(Block):
    """The missing transverse momentum."""

    pt: Energy
    phi: Angle


# Invariant masses that a flat table holds beside the leptons, named after its slots.
Mass = Literal["m4l", "mass_12", "mass_13", "mass_14", "mass_23", "mass_24", "mass_34"]


class ExpectedEvents(NumberColumn):
    """A weight that is the number of events expected at some luminosity."""

    luminosity_fb_inverse: PositiveFloat


class BranchMap(Block):
    """Where each quantity is in ntuples with lists of objects, or in flat tables.

    In a flat table, `{slot}` in the name of a lepton's branch stands for each of the slots.
    """

    event_number: Number | None = Field(None, description="none: the number of the row, from 0")
    identity: list[Number] = Field(
        default_factory=list,
        description="integer branches that together tell each event from all others (run, "
        "channel, job of the generator, event); none: event_number alone",
    )
    fold_number: Number | None = Field(
        None, description="integer branch that decides the fold; none: event_number"
    )
    tree: str | None = Field(None, description="none: the only one; a CSV file has none")
    triggers: list[Number] = Field(
        default_factory=list, description="not zero where the trigger has fired"
    )
    jets: Annotated[list[Jets], AsOne] = Field([], description="blocks, read as one")
    leptons: Annotated[list[Leptons], AsOne] = Field([], description="blocks, read as one")
    collections: dict[Name, Annotated[list[Collection], AsOne, MinLen(1)]] = Field(
        {}, description="of other objects (taus, photons, large_jets), each as those before"
    )
    where: Where | None = Field(
        None,
        description="expression over branches with one number for each event, such as event "
        "filters: a cut before all others",
    )
    met: MissingMomentum | None = None
    jet_n: Number | None = Field(None, description="of four-lepton events: a feature")
    event: dict[str, Source] = Field({}, description="features of the event, by name")
    slots: tuple[int, ...] | None = Field(
        None, description="of a flat table: how it tells the leptons apart"
    )
    masses: dict[Mass, Energy] = Field({}, description="of a flat table: compared with the leptons")
    weights: list[Number] = Field(
        default_factory=list, description="their product is the weight; none: 1"
    )
    systematic_weights: dict[str, list[Number]] = Field(
        {}, description="by variation: the product of these stands in place of the weight"
    )
    cross_section_pb: Number | None = Field(None, description="the same in all events of a file")
    sum_of_weights: SumOfWeights | None = Field(
        None,
        description="before any cut: a branch, the same in all events of a file; {histogram, bin} "
        "or {tree, branch}, which a file without events has, too",
    )
    expected_events: ExpectedEvents | None = Field(
        None,
        description="instead of weights, cross_section_pb and sum_of_weights: a weight that is "
        "scaled already",
    )
    neutrinos: ReconstructedNeutrinos | None = None
    truth: TruthMap = TruthMap()
    may_lack: list[str] = Field(
        default_factory=list,
        description="branches of event_number, identity, energy, mass, masses or triggers that a "
        "file may lack",
    )

    @model_validator(mode="after")
    def _names_tell_apart(self) -> Self:
        names = [column.branch for column in self.identity]
        if len(set(names)) < len(names):
            raise ValueError("identity: each branch can be named once")
        for name in self.collections:
            if name in ("jets", "leptons", "met", "event") or not name.isidentifier():
                raise ValueError(f"collections: '{name}' cannot be the name of one")
        if self.where is not None:
            self.where.of_event()
        if self.truth.matching is not None and len(self.jets) != 1:
            raise ValueError("truth.matching: of the jets of one block, whose places it gives")
        for name, blocks in self.objects().items():
            others = {other for block in blocks for other in block.apart_from}
            if unknown := sorted(others - (self.objects().keys() - {name})):
                raise ValueError(f"{name}.apart_from: '{unknown[0]}' is no other collection")
            if len({tuple(block.numbers()) for block in blocks}) > 1:
                raise ValueError(f"{name}: blocks that are read as one have the same features")
        return self

    @model_validator(mode="after")
    def _is_lists_or_slots(self) -> Self:
        columns = [column for leptons in self.leptons for column in all_columns(leptons)]
        flat = [SLOT in column.branch for column in columns]
        if self.slots is None and (any(flat) or self.masses):
            raise ValueError(f"{SLOT} and masses are for flat tables: say their slots")
        if self.slots is not None and not (all(flat) and len(self.leptons) == 1):
            raise ValueError(f"slots: one collection, with {SLOT} in the name of each branch")
        if self.slots is not None and len(set(self.slots)) < len(self.slots):
            raise ValueError("slots: each can be named once")
        if self.masses and len(self.slots or ()) != FOUR:
            raise ValueError("masses: those of four slots")
        return self

    @model_validator(mode="after")
    def _is_scaled_once(self) -> Self:
        unscaled = (self.weights, self.cross_section_pb, self.sum_of_weights)
        if self.expected_events is not None and any(unscaled):
            raise ValueError(
                "expected_events are weights, cross_section_pb and sum_of_weights in one: "
                "give either"
            )
        return self

    @model_validator(mode="after")
    def _can_do_without(self) -> Self:
        energies = [one.energy or one.mass for one in self.leptons]
        of_events = [*self.identity, *self.triggers, self.event_number]
        columns = [*self.masses.values(), *of_events, *energies]
        dispensable = {column.branch for column in columns if column is not None}
        for branch in self.may_lack:
            if branch not in dispensable:
                raise ValueError(
                    f"may_lack: '{branch}' is no branch of event_number, identity, energy, mass, "
                    f"masses or triggers"
                )
        return self

    def beside_number(self) -> list[BranchColumn]:
        """Return the branches of the identity but that of the event number."""
        number = self.event_number and self.event_number.branch
        return [column for column in self.identity if column.branch != number]

    def integers(self) -> list[str]:
        """Return the branches that say which event it is, and in which fold."""
        columns = (self.event_number, *self.identity, self.fold_number)
        return list(dict.fromkeys(column.branch for column in columns if column is not None))

    def blocks(self) -> dict[str, Sequence[Collection]]:
        """Return the blocks of each collection, by its name."""
        named: dict[str, Sequence[Collection]] = {"jets": self.jets, "leptons": self.leptons}
        return {name: blocks for name, blocks in (named | self.collections).items() if blocks}

    def objects(self) -> dict[str, Sequence[Collection]]:
        """Return the same; of a flat table one block for each slot."""
        if self.slots is None or not self.leptons:
            return self.blocks()
        text = self.leptons[0].model_dump_json()
        slots = [Leptons.model_validate_json(text.replace(SLOT, str(slot))) for slot in self.slots]
        return self.blocks() | {"leptons": slots}

    def event_columns(self) -> dict[str, BranchColumn]:
        """Return the branches of the features of the event, by name."""
        return _read_of(self.event)

    def derived(self) -> dict[str, str]:
        """Return the expressions, by the name of the feature or COLLECTION.FEATURE."""
        parts: dict[str, Mapping[str, Derived | BranchColumn]] = {"": self.event}
        parts |= {f"{name}.": blocks[0].extra for name, blocks in self.blocks().items()}
        return {
            f"{prefix}{name}": source.expression
            for prefix, sources in parts.items()
            for name, source in sources.items()
            if isinstance(source, Derived)
        }

    def all_weights(self) -> list[BranchColumn]:
        """Return the branches whose product is the weight."""
        if self.expected_events is not None:
            return [self.expected_events]
        return [*self.weights, *(weight for block in self.jets for weight in block.weights)]

    def as_of_collisions(self) -> "BranchMap":
        """Return what the map says of quantities that collisions have, too."""
        jets = [block.model_copy(update={"weights": []}) for block in self.jets]
        scale = dict.fromkeys(("cross_section_pb", "sum_of_weights", "expected_events"))
        nothing = {"truth": TruthMap(), "weights": [], "systematic_weights": {}, "neutrinos": None}
        return self.model_copy(update={"jets": jets, **scale, **nothing})

    def may_be_lacking(self) -> list[str]:
        """Return the branches that a file may lack, those of each slot."""
        return [name for branch in self.may_lack for name in self._names(branch)]

    def lacking_triggers(self) -> set[str]:
        """Return the triggers that a file may lack, of its own map those that it does."""
        return {each.branch for each in self.triggers if each.branch in self.may_lack}

    def as_in(self, there: Container[str]) -> "BranchMap":
        """Return the map of a file with these branches: without those that it may lack.

        Its triggers stay: those that are lacking are what it may lack.
        """
        if not self.may_lack:
            return self
        lacking = {
            branch
            for branch in self.may_lack
            if not all(name in there for name in self._names(branch))
        }

        def left(column: BranchColumn | None) -> BranchColumn | None:
            return None if column is None or column.branch in lacking else column

        leptons = [
            one.model_copy(update={"energy": left(one.energy), "mass": left(one.mass)})
            for one in self.leptons
        ]
        return self.model_copy(
            update={
                "event_number": left(self.event_number),
                "fold_number": left(self.fold_number),
                "identity": [column for column in self.identity if left(column)],
                "leptons": leptons,
                "masses": {name: column for name, column in self.masses.items() if left(column)},
                "may_lack": [name for name in self.lacking_triggers() if name in lacking],
            }
        )

    def _names(self, branch: str) -> list[str]:
        return [branch.replace(SLOT, str(slot)) for slot in self.slots or (0,)]

    def branches(self) -> list[str]:
        """Return the branches that are read, each once, but triggers that a file may lack."""
        parts = [value for name, value in self if name not in ("jets", "leptons", "collections")]
        parts += [*self.objects().values()]
        names = dict.fromkeys(column.branch for part in parts for column in all_columns(part))
        return [name for name in names if name not in self.lacking_triggers()]


def _read_of(sources: Mapping[str, Derived | BranchColumn]) -> dict[str, BranchColumn]:
    """Return the features that are read and not derived, by name."""
    return {name: source for name, source in sources.items() if isinstance(source, BranchColumn)}
