"""Reading YAML that anyone may have written: whatever is wrong with it is one line."""

from pathlib import Path
from typing import Any, Final

import yaml

from rootflow.errors import UsageError
from rootflow.files import read_bytes

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
