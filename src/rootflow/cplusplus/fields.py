"""The features of a contract as members of C++ structs."""

import re
from typing import NamedTuple

from rootflow.errors import UsageError
from rootflow.exported.contract import Collection, OnnxContract

ENERGIES = ("GeV", "MeV")
# Member, struct and word of what an event has once.
SPECIAL = {
    "met": ("met", "MissingMomentum", "met"),
    "event": ("features", "Features", "features"),
}

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
    """A member of a struct: a feature by its name in C++, and its unit in the file."""

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


class CollectionStruct(NamedTuple):
    """A collection of the contract in C++: member of the event, struct, word for one in a text.

    The fields are in the file's order; slots, mask and order are as in the contract.
    """

    member: str
    type: str
    word: str
    fields: tuple[Field, ...]
    slots: int | None
    mask: str | None
    order: str | None

    @property
    def columns(self) -> list[str]:
        """The members in the order of a text: a charge is a number of its own."""
        names = [field.name for field in self.fields]
        if self.order != "charge":
            return names
        return [*(name for name in names if name != "pdg_id"), "charge", "pdg_id"]

    @property
    def how_many(self) -> str:
        """In words, how many there are, and in which order."""
        order = "in any order" if "pt" in self.columns else "in the order of the training"
        if self.order == "charge":
            return "two of opposite charge, in any order"
        return f"{f'{self.slots} of them' if self.mask is None else 'any number'}, {order}"


def collections_of(contract: OnnxContract) -> list[CollectionStruct]:
    """Return the structs of what goes in, in the file's order."""
    return [_objects(each) for each in contract.collections]


def _objects(each: Collection) -> CollectionStruct:
    one = identifier(each.name.removesuffix("s") if each.slots is not None else each.name)
    plain = (identifier(each.name), "".join(word.capitalize() for word in one.split("_")), one)
    fields: dict[str, Field] = {}
    for feature, unit in each.units.items():
        name = identifier(feature)
        if name in fields:
            raise UsageError(
                f"cplusplus: two features of {each.name} are both {name} in C++; "
                "rename one in the branch map"
            )
        fields[name] = Field(name, unit)
    names = SPECIAL.get(each.name, plain)
    return CollectionStruct(*names, tuple(fields.values()), each.slots, each.mask, each.order)
