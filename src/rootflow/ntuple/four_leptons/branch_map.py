"""Where the quantities of four-lepton events are, in lists or in flat tables."""

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal, Self

from annotated_types import Len
from pydantic import Field, PositiveFloat, model_validator

from rootflow.config.block import Block
from rootflow.ntuple.branch_map import Collection as LeptonLists
from rootflow.ntuple.branch_map import all_columns
from rootflow.ntuple.identity import IdentityMap
from rootflow.ntuple.map_files import load_map
from rootflow.ntuple.units import Anything, Column, Energy, Number, NumberColumn

SLOT = "{slot}"


class Leptons(LeptonLists):
    """Branches with one number for each lepton: a list for each event, or one slot of four."""

    charge: Number | None = Field(None, description="none: the sign of pdg_id says it")
    pdg_id: Literal[11, 13] | Number = Field(
        description="what all of them are, or a branch that says it"
    )
    tight: Number | None = Field(None, description="not zero: passes the tight identification")
    ptcone30: Energy | None = Field(None, description="pT of other tracks within dR 0.3")
    etcone20: Energy | None = Field(None, description="other transverse energy within dR 0.2")
    d0_significance: Number | None = None
    z0_mm: Number | None = Field(None, description="along the beam, from the vertex")

    @model_validator(mode="after")
    def _has_energy(self) -> "Leptons":
        if self.energy is not None and self.mass is not None:
            raise ValueError("give energy or mass, or neither: then it is that of the flavour")
        return self

    @model_validator(mode="after")
    def _has_charge(self) -> "Leptons":
        if self.charge is None and isinstance(self.pdg_id, int):
            raise ValueError("say the branch of the charge, or of a signed pdg_id")
        return self


class Masses(Block):
    """Invariant masses that a flat table holds beside the leptons, named after its slots."""

    m4l: Energy | None = None
    mass_12: Energy | None = None
    mass_13: Energy | None = None
    mass_14: Energy | None = None
    mass_23: Energy | None = None
    mass_24: Energy | None = None
    mass_34: Energy | None = None

    def columns(self) -> dict[str, Column]:
        """Return those that are given, by the name of the feature that they should be."""
        return {name: column for name, column in self if column is not None}


class ExpectedEvents(NumberColumn):
    """A weight that is the number of events expected at some luminosity."""

    luminosity_fb_inverse: PositiveFloat


class FourLeptonMap(IdentityMap):
    """Where each quantity is in ntuples with lists of leptons, or in flat tables.

    In a flat table, `{slot}` in the name of a lepton's branch stands for each of the slots.
    """

    tree: str | None = Field(None, description="none: the only one; a CSV file has none")
    event_number: Number | None = Field(None, description="none: the number of the row, from 0")
    triggers: list[Number] = Field(
        default_factory=list, description="not zero where the trigger has fired"
    )
    jet_n: Number
    slots: Annotated[tuple[int, ...], Len(4, 4)] | None = Field(
        None, description="of a flat table: how it tells the four leptons apart"
    )
    leptons: list[Leptons] = Field(min_length=1, description="collections, read as one")
    masses: Masses = Field(Masses(), description="of a flat table: compared with the leptons")
    event: dict[str, Anything] = Field({}, description="more features of the event, by name")
    weights: list[Number] = Field(
        default_factory=list, description="their product is the weight; none: 1"
    )
    cross_section_pb: Number | None = Field(None, description="the same in all events of a file")
    sum_of_weights: Number | None = Field(
        None, description="before any cut, the same in all events of a file"
    )
    expected_events: ExpectedEvents | None = Field(
        None, description="instead of the three before: a weight that is scaled already"
    )
    may_lack: list[str] = Field(
        default_factory=list,
        description="branches of event_number, identity, energy, mass or masses that a file may "
        "lack",
    )

    @model_validator(mode="after")
    def _is_lists_or_slots(self) -> Self:
        columns = [column for leptons in self.leptons for column in all_columns(leptons)]
        flat = [SLOT in column.branch for column in columns]
        if self.slots is None and (any(flat) or self.masses.columns()):
            raise ValueError(f"{SLOT} and masses are for flat tables: say their slots")
        if self.slots is not None and not (all(flat) and len(self.leptons) == 1):
            raise ValueError(f"slots: one collection, with {SLOT} in the name of each branch")
        if self.slots is not None and len(set(self.slots)) < len(self.slots):
            raise ValueError("slots: each can be named once")
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
        dispensable = {column.branch for column in self._dispensable()}
        for branch in self.may_lack:
            if branch not in dispensable:
                raise ValueError(
                    f"may_lack: '{branch}' is no branch of event_number, identity, energy, mass "
                    f"or masses"
                )
        return self

    def _dispensable(self) -> Iterator[Column]:
        yield from all_columns(self.masses)
        yield from self.identity
        for column in (self.event_number, *((one.energy or one.mass) for one in self.leptons)):
            if column is not None:
                yield column

    def collections(self) -> list[Leptons]:
        """Return the collections of leptons; of a flat table, one for each slot."""
        if self.slots is None:
            return self.leptons
        text = self.leptons[0].model_dump_json()
        return [Leptons.model_validate_json(text.replace(SLOT, str(slot))) for slot in self.slots]

    def may_be_lacking(self) -> list[str]:
        """Return the branches that a file may lack, those of each slot."""
        return [name for branch in self.may_lack for name in self._names(branch)]

    def as_in(self, there: Collection[str]) -> "FourLeptonMap":
        """Return the map of a file with these branches: without those that it may lack."""
        if not self.may_lack:
            return self
        lacking = {
            branch for branch in self.may_lack if not set(there).issuperset(self._names(branch))
        }
        if not lacking:
            return self
        return FourLeptonMap.model_validate(_without(self.model_dump(), lacking) | {"may_lack": []})

    def _names(self, branch: str) -> list[str]:
        return [branch.replace(SLOT, str(slot)) for slot in self.slots or (0,)]


def load_four_lepton_map(name: str) -> FourLeptonMap:
    """Return the map of that name, or in that YAML file.

    Raises
    ------
    UsageError
        There is no such map, or it says something that cannot be.
    """
    return load_map(FourLeptonMap, "four_leptons", name)


def _without(part: Any, branches: Collection[str]) -> Any:
    """Return a part of a dumped map in which these branches are not named."""
    if isinstance(part, dict):
        if part.get("branch") in branches:
            return None
        return {name: _without(value, branches) for name, value in part.items()}
    if isinstance(part, list | tuple) and all(isinstance(one, dict) for one in part):
        left = (_without(one, branches) for one in part)
        return [one for one in left if one is not None]
    return part
