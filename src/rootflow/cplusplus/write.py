"""A C++ header of each model, with a program that uses it and what builds it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from rootflow.errors import InputError, UsageError
from rootflow.exported.contract import INTERFACE_KEY, Collection, OnnxContract
from rootflow.exported.session import open_exported
from rootflow.files import whole_directory

TEMPLATES = {"hpp": "network.hpp", "cpp": "main.cpp", "yaml": "topcptoolkit.yaml"}
CMAKE = "CMakeLists.txt"
# What is in absent objects.
PADDING = {"named": "0.0F", "flat": "-999.0F"}


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
    """A collection of the contract in C++, its fields in the file's order."""

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


def struct_of(each: Collection) -> CollectionStruct:
    """Return a collection in C++."""
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


def write_cplusplus(paths: Sequence[Path], directory: Path) -> list[Path]:
    """Write C++ that applies exported models, from what their files say of themselves.

    Each model gets a header NAME.hpp that needs nothing but onnxruntime, a program
    NAME.cpp that reads events from a text, and NAME.yaml, a part of a configuration as
    TopCPToolkit reads it; CMakeLists.txt builds all programs.

    The ONNX files of `rootflow export` are named or flat. Those of one model and several folds
    share a header, which picks by the event number. What was written to a new directory is
    returned.

    Raises
    ------
    InputError
        A file is not there, is not one of `rootflow export`, or is of an older one.
    UsageError
        The directory is there already, or files are of other kinds or do not go together.
    """
    if directory.exists():
        raise UsageError(f"{directory}: there already; write to a new directory")
    environment = jinja2.Environment(  # noqa: S701 - C++ is no HTML
        loader=jinja2.PackageLoader("rootflow.cplusplus"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    headers = _headers(paths)
    texts = {}
    for name, (contract, files) in headers.items():
        about = _about(name, contract, files)
        for ending, template in TEMPLATES.items():
            texts[f"{name}.{ending}"] = environment.get_template(template).render(about)
    texts[CMAKE] = environment.get_template(CMAKE).render(names=list(headers))
    with whole_directory(directory) as partial:
        for name, text in texts.items():
            (partial / name).write_text(text, encoding="utf-8")
    return [directory / name for name in texts]


def _about(name: str, contract: OnnxContract, files: Mapping[int, str]) -> dict[str, Any]:
    """Return what the templates ask for."""
    collections = [struct_of(each) for each in contract.collections]
    reconstructs = contract.task == "reconstruction"
    outputs = [tensor.name for tensor in contract.outputs]
    energies = {field.unit for each in collections for field in each.fields if field.is_energy}
    units = [*energies, *(tensor.features[0].unit for tensor in contract.outputs[1:2])]
    factors = []
    if units:
        to_file, from_file = f"unit, Unit::{units[0]}", f"Unit::{units[-1]}, unit"
        factors = [f"to_file_(factor({to_file}))", f"from_file_(factor({from_file}))"]
    masked = [each for each in collections if each.mask]
    return {
        "name": name,
        "block": "".join(word.capitalize() for word in name.split("_")),
        "contract": contract,
        "interface": contract.interface,
        "files": files,
        "collections": collections,
        "sequences": [each for each in collections if each.slots is not None],
        "masked": masked,
        "rooms": "".join(f"{each.slots} {each.member}, " for each in masked),
        "size": sum((each.slots or 1) * len(each.fields) for each in collections),
        "flat": contract.variant == "flat",
        "padding": PADDING[contract.variant],
        "reconstructs": reconstructs,
        "type": "Network" if reconstructs else "Classifier",
        "says": outputs[0],
        "classes": contract.classes,
        "outputs": outputs,
        "confidence": "confidence" in outputs,
        "floats": [tensor.name for tensor in contract.inputs if tensor.type == "float32"],
        "input_unit": next(iter(energies), ""),
        "factors": factors[: 2 if reconstructs else 1],
    }


def _headers(paths: Sequence[Path]) -> dict[str, tuple[OnnxContract, dict[int, str]]]:
    """Return the headers of some files, the named and the flat variant as two.

    By the name of header and namespace they have the contract of the first file, from which those
    of the others differ in fold and provenance alone, and the files by the fold that they may be
    applied to.
    """
    if not paths:
        raise UsageError("cplusplus: name one ONNX file of `rootflow export`, or more")
    headers: dict[str, tuple[OnnxContract, dict[int, str]]] = {}
    first_paths: dict[str, Path] = {}
    for path in paths:
        contract = _contract(path)
        ending = "_flat" if contract.variant == "flat" else ""
        name = identifier(f"{contract.analysis}_{contract.model}{ending}")
        first, by_fold = headers.setdefault(name, (contract, {}))
        if contract.interface != first.interface:
            raise UsageError(
                f"cplusplus: {path} and {first_paths[name]} have other inputs, outputs or folds; "
                "give files of one training and its folds"
            )
        fold = contract.held_out or 0  # None was refused
        if fold in by_fold:
            raise UsageError(
                f"cplusplus: {path} and {by_fold[fold]} may both be applied to fold {fold}; "
                "give one of them"
            )
        first_paths.setdefault(name, path)
        by_fold[fold] = path.name
    return {name: (first, dict(sorted(files.items()))) for name, (first, files) in headers.items()}


def _contract(path: Path) -> OnnxContract:
    session, contract = open_exported(path)
    if contract.variant == "athena":
        raise UsageError(f"{path}: for an inference tool of Athena; give the named or flat files")
    if contract.held_out is None:
        raise UsageError(f"{path}: has the models of all folds; give the files of each fold")
    if session.get_modelmeta().custom_metadata_map.get(INTERFACE_KEY) != contract.interface:
        raise InputError(
            f"{path}: its metadata have no {INTERFACE_KEY} of this version of rootflow: "
            "export the model again"
        )
    return contract
