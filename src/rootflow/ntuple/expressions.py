"""Derived features and cuts that are written as expressions, such as ``sum(jets.pt) > 200``.

How others use it::

    names = {"jets.pt": Quantity("GeV", "jets"), "trigE": Quantity("none")}
    texts = {"ht": "sum(jets.pt)", "jets.share": "jets.pt / ht"}
    features = parse_features(texts, names, "event")
    cut = parse_cut("trigE & (count(jets.pt > 30) >= 2)", names, "data.cuts.two_jets")

Both check names, units and shapes before anything is read. An `Expression` says what it needs
(`names`, `collections`) and what it gives (`unit`, `collection`, `is_condition`);
``evaluate(Lookup(...))`` computes it for some events. `parse_features` returns its expressions in
an order in which each needs only `names` and earlier ones, whose values `Lookup.values` must
know as well by then. The text is read by Python's own parser, and only what `expression_parser`
lists is taken; nothing is ever run.
"""

import ast
import graphlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rootflow.errors import UsageError
from rootflow.ntuple.expression_functions import TRUE, Lookup, Node, Values, missing
from rootflow.ntuple.expression_parser import DEEPEST, Parser, Quantity, shown
from rootflow.ntuple.units import PLAIN

__all__ = ["Expression", "Lookup", "Quantity", "names_in", "parse", "parse_cut", "parse_features"]

LONGEST = 1000
# What other languages write, and what stands for it here.
ELSEWHERE = {"&&": "&", "||": "|", "!": "~"}


@dataclass(frozen=True)
class Expression:
    """What was written, checked: what it needs, each once, and the collections that it looks at.

    `where` is the path of the setting, as messages name it. The `unit` is GeV, rad, none, or powers
    of them such as GeV^0.5; `collection` is whose objects it has a value for, None: it has one for
    each event.
    """

    where: str
    names: tuple[str, ...]
    collections: tuple[str, ...]
    unit: str
    collection: str | None
    is_condition: bool
    node: Node

    def evaluate(self, lookup: Lookup) -> Values:
        """Return (n,) or (objects,) values, bool of a condition and else float64.

        It is an InputError where there is none: of an empty list, or of a division by zero.
        """
        values = self.node.values(lookup)
        lacks = missing(values)
        if lacks.any():
            place = int(np.argmax(lacks))
            event = place if self.collection is None else int(lookup.event[self.collection][place])
            part = self.node.lacking_in(event, lookup)
            raise lookup.wrong_at(event, f"{self.where}: '{part.text}' {part.lacks}")
        return values == TRUE if self.is_condition else np.asarray(values, np.float64)


def parse(
    text: str, names: Mapping[str, Quantity], where: str, must_be_condition: bool = False
) -> Expression:
    """Return an expression, checked: it may name features of the event, and COLLECTION.FEATURE.

    The UsageError of one that is wrong says why, and at which column.
    """
    text = " ".join(text.split())
    parser = Parser(text, names, where)
    node = parser.whole(_tree(text, where), must_be_condition)
    return Expression(
        where=where,
        names=tuple(parser.used),
        collections=tuple(parser.looked_at),
        unit=str(node.unit or PLAIN),
        collection=node.collection,
        is_condition=node.condition,
        node=node,
    )


def _tree(text: str, where: str) -> ast.expr:
    if len(text) > LONGEST:
        raise UsageError(f"{where}: has {len(text)} characters, more than {LONGEST}")
    if "#" in text or not text.isprintable():
        raise UsageError(f"{where}: a character that is none of an expression in '{shown(text)}'")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the style of what is refused later
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        hints = [f"'{ours}' for '{theirs}'" for theirs, ours in ELSEWHERE.items() if theirs in text]
        hint = f" (write {', '.join(hints)})" if hints else ""
        column = min(error.offset or 1, len(text) + 1)
        raise UsageError(
            f"{where}: {error.msg}{hint}, at column {column} of '{shown(text)}'"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise UsageError(f"{where}: is nested more than {DEEPEST} deep") from None


def parse_cut(text: str, names: Mapping[str, Quantity], where: str) -> Expression:
    """Return a condition on events, checked as `parse` does."""
    expression = parse(text, names, where, must_be_condition=True)
    if expression.collection is not None:
        raise UsageError(
            f"{where}: says something of each of the {expression.collection}, not of the event: "
            f"put any(...), all(...) or count(...) around it, in '{shown(text)}'"
        )
    return expression


def parse_features(
    texts: Mapping[str, str], names: Mapping[str, Quantity], where: str
) -> dict[str, Expression]:
    """Return expressions, by name or COLLECTION.FEATURE, each after those that it needs."""
    for name in texts:
        if name in names:
            raise UsageError(f"{where}.{name}: there is a feature of that name; choose another")
    needs = {
        name: [other for other in names_in(text, f"{where}.{name}") if other in texts]
        for name, text in texts.items()
    }
    try:
        order = list(graphlib.TopologicalSorter(needs).static_order())
    except graphlib.CycleError as error:
        circle = " needs ".join(reversed(error.args[1]))
        raise UsageError(f"{where}: {circle}: no value can be found in a circle") from None
    known, parsed = dict(names), {}
    for name in order:
        expression = parse(texts[name], known, f"{where}.{name}")
        wanted = name.rpartition(".")[0] or None
        if expression.collection != wanted:
            gives, needed = (
                f"one value for each of the {whose}" if whose else "one value for each event"
                for whose in (expression.collection, wanted)
            )
            raise UsageError(
                f"{where}.{name}: '{shown(texts[name])}' gives {gives}, where {needed} is needed"
            )
        known[name] = Quantity(expression.unit, expression.collection)
        parsed[name] = expression
    return parsed


def names_in(text: str, where: str) -> list[str]:
    """Return what a text names that is no function, each once: NAME or COLLECTION.FEATURE."""
    found: dict[str, None] = {}
    left: list[ast.AST] = [_tree(" ".join(text.split()), where)]
    while left:
        node = left.pop()
        if isinstance(node, ast.Name):
            found[node.id] = None
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found[f"{node.value.id}.{node.attr}"] = None
        else:
            parts = ast.iter_child_nodes(node)
            left += (part for part in parts if part is not getattr(node, "func", None))
    return list(found)
