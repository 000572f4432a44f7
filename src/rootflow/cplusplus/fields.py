"""The features of a contract as members of C++ structs."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from rootflow.errors import UsageError
from rootflow.exported.contract import OnnxContract

COLLECTIONS = ("jets", "leptons", "met", "event")
ENERGIES = ("GeV", "MeV")

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


def fields_of(contract: OnnxContract) -> dict[str, tuple[Field, ...]]:
    """Return the members of a jet, a lepton, the MET and the event, in the file's order.

    Raises
    ------
    UsageError
        Two features of a collection would have the same name in C++.
    """
    units = {each.name: each.units for each in contract.collections}
    return {name: _fields(name, units.get(name, {})) for name in COLLECTIONS}


def _fields(collection: str, units: Mapping[str, str]) -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    for feature, unit in units.items():
        name = identifier(feature)
        if name in fields:
            raise UsageError(
                f"cplusplus: two features of {collection} are both {name} in C++; "
                "rename one in the branch map"
            )
        fields[name] = Field(name, unit)
    return tuple(fields.values())
