"""The features of a contract as members of C++ structs."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from rootflow.errors import UsageError
from rootflow.exported.contract import Feature, ReconstructionContract

COLLECTIONS = ("jets", "leptons", "met", "event")
ENERGIES = ("GeV", "MeV")

# The flat variant names its features as the ntuple production does.
FLAT_PREFIXES = {"jet_": "jets", "lep_": "leptons"}
FLAT_NAMES = {"e": "energy", "b_tag": "btag", "pid": "pdg_id"}
FLAT_MET = {"met_met": "pt", "met_phi": "phi"}

# Those of C++17 that a feature could be called.
KEYWORDS = frozenset([
    "alignas", "alignof", "and", "asm", "auto", "bool", "break", "case", "catch", "char",
    "class", "const", "continue", "default", "delete", "do", "double", "else", "enum",
    "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline",
    "int", "long", "mutable", "namespace", "new", "noexcept", "not", "nullptr", "operator",
    "or", "private", "protected", "public", "register", "return", "short", "signed", "sizeof",
    "static", "struct", "switch", "template", "this", "throw", "true", "try", "typedef",
    "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "while",
    "xor",
])  # fmt: skip


class Field(NamedTuple):
    """A member of a struct: one feature.

    Attributes
    ----------
    name
        In C++.
    unit
        In the file: GeV, MeV, rad or none.
    """

    name: str
    unit: str

    @property
    def is_energy(self) -> bool:
        """Whether it has the unit that the user chooses."""
        return self.unit in ENERGIES


def identifier(name: str) -> str:
    """Return the name as C++ takes it: `set-transformer` is `set_transformer`."""
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII)
    if plain in KEYWORDS:
        return f"{plain}_"
    return plain if plain.isidentifier() else f"_{plain}"


def fields_of(contract: ReconstructionContract) -> dict[str, tuple[Field, ...]]:
    """Return the members of a jet, a lepton, the MET and the event, in the file's order.

    Raises
    ------
    UsageError
        Two features of a collection would have the same name in C++.
    """
    if contract.variant == "flat":
        features = _flat(contract.inputs[0].features)
    else:
        features = {tensor.name: list(tensor.features) for tensor in contract.inputs}
    return {name: _fields(name, features.get(name, [])) for name in COLLECTIONS}


def _flat(slots: Iterable[Feature]) -> dict[str, list[Feature]]:
    """Return the features of each collection, of which every object repeats those of the first."""
    features: dict[str, list[Feature]] = {name: [] for name in COLLECTIONS}
    for slot in slots:
        name, _, place = slot.name.partition("[")
        if place == "0]":
            collection = FLAT_PREFIXES[name[:4]]
            features[collection].append(_renamed(slot, FLAT_NAMES.get(name[4:], name[4:])))
        elif name in FLAT_MET:
            features["met"].append(_renamed(slot, FLAT_MET[name]))
        elif not place:
            features["event"].append(slot)
    return features


def _renamed(feature: Feature, name: str) -> Feature:
    return Feature(name=name, unit=feature.unit)


def _fields(collection: str, features: Iterable[Feature]) -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    for feature in features:
        name = identifier(feature.name)
        if name in fields:
            raise UsageError(
                f"cplusplus: two features of {collection} are both {name} in C++; "
                "rename one in the branch map"
            )
        fields[name] = Field(name, feature.unit)
    return tuple(fields.values())
