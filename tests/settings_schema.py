"""All settings that there are, as the schema of the configuration has them."""

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rootflow.config import OwnNetworkConfig
from rootflow.config.model import OwnReconstructionNetworkConfig

SEVERAL = (list, tuple, dict, Mapping)


def settings_of(block: type[BaseModel], at: str = "") -> Iterator[str]:
    """Yield the path of each setting below `block`, once for each kind of block that has it.

    `model` chooses a kind, and `model[deep_set].width` is a setting of one of its kinds. A
    kind inside another, as the heads of the networks, is the same in each: `model.neutrinos`.
    What can have one value only is not a setting.
    """
    seen = set()
    for path in _below(block, at):
        if path not in seen:
            seen.add(path)
            yield path


def _below(block: type[BaseModel], at: str) -> Iterator[str]:
    for name, field in block.model_fields.items():
        path = f"{at}.{name}" if at else name
        blocks = list(_blocks(field.annotation))
        if not blocks:
            if not _has_one_value(field) and name != "architecture":
                yield path
        elif len(blocks) == 1 and not _is_several(field.annotation):
            yield from _below(blocks[0], path)
        else:
            yield _outside_kinds(path)
            for kind in blocks:
                inside = f"{_outside_kinds(path)}[{kind_of(kind)}]" if len(blocks) > 1 else path
                yield from _below(kind, inside)


def kind_of(block: type[BaseModel]) -> str:
    """Return the word by which a block is chosen among others."""
    for field in block.model_fields.values():
        if _has_one_value(field):
            return str(typing.get_args(field.annotation)[0])
    if issubclass(block, OwnNetworkConfig):
        is_reconstruction = issubclass(block, OwnReconstructionNetworkConfig)
        return "own_network:tokens" if is_reconstruction else "own_network:build"
    raise AssertionError(f"{block.__name__} has no word of its own")


def _outside_kinds(path: str) -> str:
    """Return the path with the kinds taken out that a block of kinds is in."""
    head, bracket, rest = path.partition("[")
    return head + rest.partition("]")[2] if bracket else path


def _has_one_value(field: FieldInfo) -> bool:
    return typing.get_origin(field.annotation) is typing.Literal and (
        len(typing.get_args(field.annotation)) == 1
    )


def _is_several(annotation: Any) -> bool:
    return any(typing.get_origin(part) in SEVERAL for part in _parts(annotation))


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        for part in typing.get_args(annotation):
            yield from _parts(part)


def _blocks(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _blocks(part)
