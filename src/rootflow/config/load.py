"""Reading a configuration: YAML that anyone may have written, base file, overrides, one check."""

import difflib
import itertools
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ValidationError

from rootflow.analysis import analysis_named
from rootflow.config.analysis import ClassificationConfig, ReconstructionConfig
from rootflow.config.methods import TAGS
from rootflow.config.plugin import OWN
from rootflow.errors import UsageError
from rootflow.files import read_bytes

KIND = "architecture"
KINDS = (KIND, "type", "method", "head")  # keys that say which of several blocks is meant
MOST_FAULTS, LONGEST = 5, 1000  # of a message
# Annotations whose arguments may be blocks.
SEVERAL = (typing.Union, types.UnionType, typing.Annotated, list, dict, Mapping)


Config = ReconstructionConfig | ClassificationConfig


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Return the checked configuration.

    Parameters
    ----------
    path
        YAML file. Its key `base` may name another one, relative to it, whose settings
        hold where this file is silent.
    overrides
        `key.path=value` each, the value as in YAML. An empty value leaves what the
        file says, `null` takes a block away. A new `model.architecture` starts the model's
        block afresh.

    Raises
    ------
    UsageError
        The file cannot be read, a key is not known or a value is not allowed.
    """
    settings = _read(path)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key:
            raise UsageError(f"override '{_one_line(override)}': write it as key.path=value")
        if text:
            value = parse_yaml(text, f"override '{_one_line(override)}': the value is not YAML")
            settings = _merge(settings, _nested(key, value))
    try:
        kind = analysis_named(str(settings.get("analysis"))).config
    except UsageError as error:
        raise UsageError(f"{path}: analysis: {error}") from None
    try:
        config: Config = kind.model_validate(settings)
    except ValidationError as error:
        raise UsageError(f"{path}: {explain(error, kind)}") from None
    return config


def change(config: Config, values: Mapping[str, Any]) -> Config:
    """Return the configuration with other values, by their paths, as `load` merges and checks."""
    settings = config.model_dump(mode="json")
    # An architecture first: it would take what was set before with it.
    for path in sorted(values, key=lambda path: not path.endswith(f".{KIND}")):
        settings = _merge(settings, _nested(path, values[path]))
    try:
        return type(config).model_validate(settings)
    except ValidationError as error:
        raise UsageError(explain(error, type(config))) from None


def _read(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    settings = read_yaml(path, "configuration")
    if path.resolve() in above:
        raise UsageError(f"{path}: is its own base")
    if not isinstance(settings, dict):
        raise UsageError(f"{path}: a configuration is a YAML mapping, this is not")
    base = settings.pop("base", None)
    if base is None:
        return settings
    return _merge(_read(path.parent / str(base), (*above, path.resolve())), settings)


def _nested(path: str, value: Any) -> Any:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if value is None and isinstance(below, Mapping):
            del merged[key]
            continue
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            other_kind = KIND in value and KIND in below and value[KIND] != below[KIND]
            merged[key] = dict(value) if other_kind else _merge(below, value)
        else:
            merged[key] = value
    return merged


def explain(error: ValidationError, analysis: type[BaseModel]) -> str:
    """Return what is wrong with a configuration, in one line."""
    return one_line_of(_explain_one(details, analysis) for details in error.errors())


def one_line_of(faults: Iterable[str]) -> str:
    """Return the first faults, and how many there are more."""
    left = iter(faults)
    first, more = list(itertools.islice(left, MOST_FAULTS)), sum(1 for _ in left)
    return "; ".join([*map(_one_line, first), *([f"and {more} more"] if more else [])])


def _one_line(text: str) -> str:
    """Return a text without line breaks, and not all of it where it is longer than a line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."


def _explain_one(details: Any, analysis: type[BaseModel]) -> str:
    where, block = _locate(details["loc"], analysis)
    if details["type"] == "union_tag_invalid":
        context = details["ctx"]
        kind = context["discriminator"].strip("'()")
        return f"{'.'.join(where)}.{kind}: '{context['tag']}' is not {context['expected_tags']}"
    if details["type"] != "extra_forbidden":
        hint = ": write [first, second]" if details["type"] == "list_type" else ""
        place = f"{'.'.join(where)}: " if where else ""
        return f"{place}{details['msg'].removeprefix('Value error, ')}{hint}"
    valid = sorted(block.model_fields) if block else []
    renamed = getattr(block, "RENAMED", {}).get(where[-1])
    near = [renamed] if renamed else difflib.get_close_matches(where[-1], valid, cutoff=0.7)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"{'.'.join(where)}: unknown key{hint}; valid keys: {', '.join(valid)}"


def _locate(
    location: Sequence[str | int], analysis: type[BaseModel]
) -> tuple[list[str], type[BaseModel] | None]:
    """Return the path as the user wrote it, and the block that its last key was looked for in."""
    where: list[str] = []
    blocks = [analysis]
    is_key = False  # of a list or a mapping of blocks
    for part in map(str, location):
        chosen = [block for block in blocks if _kind(block) == part]
        if chosen and len(blocks) > 1:
            blocks = chosen  # pydantic names the architecture in the path; the user's file does not
        elif part not in TAGS:
            where.append(part)
            field = blocks[0].model_fields.get(part) if blocks and not is_key else None
            annotation = field.annotation if field else None
            blocks = _blocks(annotation) if field else blocks
            is_key = typing.get_origin(annotation) in (list, dict, Mapping)
    return where, blocks[0] if blocks else None


def _kind(block: type[BaseModel]) -> str | None:
    for kind in KINDS:
        if kind in block.model_fields:
            words = typing.get_args(block.model_fields[kind].annotation)
            return str(words[0]) if words else OWN
    return None


def _blocks(annotation: Any) -> list[type[BaseModel]]:
    if typing.get_origin(annotation) in SEVERAL:
        return [block for part in typing.get_args(annotation) for block in _blocks(part)]
    is_block = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return [annotation] if is_block else []


DEEPEST: Final = 100  # mappings and lists within one another
LARGEST: Final = 100_000  # values, those of aliases counted wherever they stand


def read_yaml(path: Path, what: str) -> Any:
    """Return what a YAML file says; `what` it is, for messages: the configuration."""
    try:
        content = read_bytes(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot read the {what}: {error.strerror}") from None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not YAML: it is not UTF-8 text: {error.reason}") from None
    return parse_yaml(text, f"{path}: not YAML")


def parse_yaml(text: str, complaint: str) -> Any:
    """Return what a text says as YAML; `complaint` is what an error begins with.

    Refused are values that are not plain, a key that is there twice, and what is deeper or larger
    than anything that a person writes.
    """
    try:
        _require_shallow(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _Size().of(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise UsageError(f"{complaint}: {' '.join(str(error).split())}") from None


class _Loader(yaml.CSafeLoader):
    """Says of a value that is none of its kind where it stands, as of all that is wrong."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError):
            kind = node.tag.rpartition(":")[2]
            raise _wrong(node, f"a value that is no {kind}") from None


def _require_shallow(text: str) -> None:
    """Refuse a deep text before it is composed: libyaml's parser alone does not recurse."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _too_deep(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Size:
    """Counts values, those of an alias as often as it is used."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}
        self._above: set[int] = set()

    def of(self, node: yaml.Node) -> tuple[int, int]:
        """Return how many values a node has, itself counted, and how deep they are."""
        if id(node) in self._known:
            return self._known[id(node)]
        if id(node) in self._above:
            raise _wrong(node, "an alias of what it is in")
        self._above.add(id(node))
        parts = [self.of(part) for part in _parts(node)]
        size = 1 + sum(part for part, _ in parts)
        depth = 1 + max((part for _, part in parts), default=0)
        if size > LARGEST:
            raise _wrong(node, f"more than {LARGEST:,} values")
        if depth > DEEPEST + 1:
            raise _too_deep(node)
        self._above.remove(id(node))
        self._known[id(node)] = size, depth
        return size, depth


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        keys = [key for key, _ in node.value]
        names = [(key.tag, key.value) for key in keys if isinstance(key, yaml.ScalarNode)]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise _wrong(keys[place], f"the key '{name[1]}' a second time")
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _too_deep(place: Any) -> yaml.YAMLError:
    return _wrong(place, f"more than {DEEPEST} lists and mappings within one another")


def _wrong(place: Any, what: str) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(problem=f"found {what}", problem_mark=place.start_mark)
