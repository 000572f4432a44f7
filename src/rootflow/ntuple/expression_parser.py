"""Expressions taken apart and checked: names, shapes, units, and nothing that is not listed."""

import ast
import difflib
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rootflow.errors import UsageError
from rootflow.ntuple.expression_functions import (
    ARITHMETIC,
    COMPARISONS,
    FALSE,
    FUNCTIONS,
    REDUCTIONS,
    TRUE,
    UNKNOWN,
    Function,
    Lookup,
    Node,
    Values,
    chosen,
    compared,
    has_bit,
    numbers,
)
from rootflow.ntuple.units import PLAIN, Unit, UnlikeUnitsError, like, power, unit_named

DEEPEST = 50
SHOWN = 100
LARGEST_LITERAL = 2**63
BITS = 64
CALLS = (*FUNCTIONS, *REDUCTIONS, "where", "bit")
INSTEAD = {
    ast.Subscript: ": leading(x, 2) is the second x, sum(x, where=condition) that of some objects",
    ast.IfExp: ": where(condition, a, b) is a or b",
}
BINDS = (
    "& and | bind more tightly than comparisons, which need parentheses beside them; whether a "
    "mask has the bit of 2^n is bit(mask, n)"
)


class Quantity(NamedTuple):
    """What a name in an expression stands for: its unit, and the collection it is a feature of."""

    unit: str
    collection: str | None = None


def shown(text: str) -> str:
    """Return the text, shortened for a message."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


class Parser:
    """Makes the nodes of one expression; afterwards says which names and collections it uses."""

    def __init__(self, text: str, names: Mapping[str, Quantity], where: str) -> None:
        self.text, self.names, self.where = text, names, where
        self.collections = sorted({one.collection for one in names.values() if one.collection})
        self.used: dict[str, None] = {}
        self.looked_at: dict[str, None] = {}
        self._depth = 0

    def whole(self, tree: ast.expr, must_be_condition: bool) -> Node:
        """Return the whole expression, checked."""
        node = self._node(tree)
        if not self.looked_at and not self.used:
            raise self._wrong(node, "names nothing of an event")
        return self._condition(node) if must_be_condition else node

    def _node(self, tree: ast.expr) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise UsageError(f"{self.where}: is nested more than {DEEPEST} deep")
        makers: dict[type[ast.expr], Callable[[Any], Node]] = {
            ast.Constant: self._literal,
            ast.Name: self._name,
            ast.Attribute: self._name,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.BoolOp: self._boolean,
            ast.Compare: self._comparison,
            ast.Call: self._call,
        }
        if type(tree) not in makers:
            hint = INSTEAD.get(type(tree), "")
            raise self._wrong(
                tree, f"'{self._text_of(tree)}' is nothing that is computed here{hint}"
            )
        node = makers[type(tree)](tree)
        self._depth -= 1
        return node

    def _wrong(self, at: ast.AST | Node, what: str) -> UsageError:
        column = at.column if isinstance(at, Node) else self._column(getattr(at, "col_offset", 0))
        return UsageError(f"{self.where}: {what}, at column {column} of '{shown(self.text)}'")

    def _column(self, offset: int) -> int:
        return len(self.text.encode()[:offset].decode()) + 1

    def _text_of(self, tree: ast.expr) -> str:
        return shown(ast.get_source_segment(self.text, tree) or self.text)

    def _made(self, tree: ast.expr, children: Sequence[Node], **fields: Any) -> Node:
        """Return a node with a value for whatever its children have one for."""
        found = dict.fromkeys(child.collection for child in children if child.collection)
        if len(found) > 1:
            names = " with ".join(found)
            raise self._wrong(
                tree,
                f"'{self._text_of(tree)}' mixes {names}: take one number for each event of one of "
                f"them, such as max(...)",
            )
        collection = next(iter(found), None)
        told = {"collection": collection, "over": collection, **fields}
        column = self._column(tree.col_offset)
        return Node(self._text_of(tree), column, children=tuple(children), **told)

    def _literal(self, tree: ast.Constant) -> Node:
        value: Any = tree.value
        if type(value) not in (int, float) or not value < LARGEST_LITERAL:
            raise self._wrong(tree, f"'{self._text_of(tree)}' is no number that is computed with")
        return self._constant(tree, value)

    def _constant(self, tree: ast.expr, value: float) -> Node:
        return self._made(tree, (), unit=None, of=lambda _: value, constant=value)

    def _name(self, tree: ast.Name | ast.Attribute) -> Node:
        named = tree.value if isinstance(tree, ast.Attribute) else tree
        name = self._text_of(tree).replace(" ", "") if isinstance(named, ast.Name) else ""
        if name in self.names:
            return self._named(tree, name)
        if name in self.collections:
            raise self._wrong(
                tree, f"'{name}' is a collection: name a feature of it, or count({name})"
            )
        near = difflib.get_close_matches(name, [*self.names, *self.collections], n=3)
        there = shown(", ".join(sorted(self.names)))
        hint = f" (did you mean {', '.join(near)}?)" if near else f"; there is {there}"
        raise self._wrong(tree, f"there is no '{self._text_of(tree)}'{hint}")

    def _named(self, tree: ast.expr, name: str) -> Node:
        quantity = self.names[name]
        self.used[name] = None
        if quantity.collection:
            self.looked_at[quantity.collection] = None

        def of(lookup: Lookup) -> Values:
            values = np.asarray(lookup.values(name))
            # int8 is what conditions are made of.
            return values.astype(np.int16) if values.dtype == np.int8 else values

        unit, whose = unit_named(quantity.unit), quantity.collection
        return self._made(tree, (), unit=unit, of=of, collection=whose, is_name=True)

    def _unary(self, tree: ast.UnaryOp) -> Node:
        node = self._node(tree.operand)
        if isinstance(tree.op, ast.Not | ast.Invert):
            children = [self._condition(node)]
            return self._made(
                tree, children, unit=PLAIN, of=lambda _, codes: TRUE - codes, condition=True
            )
        sign = -1 if isinstance(tree.op, ast.USub) else 1
        if isinstance(tree.operand, ast.Constant) and node.constant is not None:
            return self._constant(tree, sign * node.constant)  # an integer stays one
        return self._applied(tree, Function(1, like, lambda values: sign * values), [node])

    def _binary(self, tree: ast.BinOp) -> Node:
        nodes = [self._node(tree.left), self._node(tree.right)]
        if isinstance(tree.op, ast.BitAnd | ast.BitOr):
            return self._logical(tree, isinstance(tree.op, ast.BitAnd), nodes)
        if type(tree.op) not in ARITHMETIC:
            hint = ": a power is **" if isinstance(tree.op, ast.BitXor) else ""
            raise self._wrong(tree, f"'{self._text_of(tree)}' has no operator of numbers{hint}")
        function = ARITHMETIC[type(tree.op)]
        if isinstance(tree.op, ast.Pow) and nodes[1].constant is not None:
            exponent = nodes[1].constant
            function = function._replace(unit=lambda unit, _: power(unit, exponent))
        return self._applied(tree, function, nodes)

    def _applied(self, tree: ast.expr, function: Function, nodes: Sequence[Node]) -> Node:
        nodes = [self._number(node) for node in nodes]
        unit = self._unit(tree, function.unit, nodes)
        if all(node.constant is not None for node in nodes):
            value = float(numbers(function.of, *(np.asarray(node.constant) for node in nodes)))
            if not math.isfinite(value):
                raise self._wrong(tree, f"'{self._text_of(tree)}' is not a finite number")
            return self._constant(tree, value)
        return self._made(
            tree, nodes, unit=unit, of=lambda _, *values: numbers(function.of, *values)
        )

    def _unit(self, tree: ast.expr, rule: Callable[..., Unit], nodes: Sequence[Node]) -> Unit:
        try:
            return rule(*(node.unit for node in nodes))
        except UnlikeUnitsError as error:
            raise self._wrong(
                tree, f"units in '{self._text_of(tree)}' do not go together: {error}"
            ) from None

    def _boolean(self, tree: ast.BoolOp) -> Node:
        nodes = [self._node(part) for part in tree.values]
        return self._logical(tree, isinstance(tree.op, ast.And), nodes)

    def _logical(self, tree: ast.expr, is_and: bool, nodes: Sequence[Node]) -> Node:
        function = np.minimum if is_and else np.maximum
        return self._made(
            tree,
            [self._condition(node) for node in nodes],
            unit=PLAIN,
            of=lambda _, *codes: functools.reduce(function, codes),
            condition=True,
        )

    def _comparison(self, tree: ast.Compare) -> Node:
        nodes = [self._number(self._node(part)) for part in (tree.left, *tree.comparators)]
        for operator in tree.ops:
            if type(operator) not in COMPARISONS:
                raise self._wrong(tree, f"'{self._text_of(tree)}' is no comparison of numbers")
        if all(node.constant is not None for node in nodes):
            raise self._wrong(tree, f"'{self._text_of(tree)}' compares literals")
        self._unit(tree, like, nodes)
        functions = [COMPARISONS[type(operator)] for operator in tree.ops]

        def of(_: Lookup, *values: Values) -> Values:
            steps = zip(functions, values[:-1], values[1:], strict=True)
            return functools.reduce(np.minimum, (compared(*step) for step in steps))

        return self._made(tree, nodes, unit=PLAIN, of=of, condition=True)

    def _number(self, node: Node) -> Node:
        """Return 1 or 0 for a condition, and any other as it is."""
        if not node.condition:
            return node

        def of(_: Lookup, codes: Values) -> Values:
            return np.where(codes == UNKNOWN, np.nan, codes == TRUE)

        return Node(node.text, node.column, node.collection, PLAIN, of, (node,), node.collection)

    def _condition(self, node: Node) -> Node:
        """Return a condition as it is, and one for what has a name and is 0 or 1."""
        if node.condition:
            return node
        if not node.is_name or node.unit != PLAIN:
            what = f"in {node.unit}" if node.unit not in (None, PLAIN) else "a number"
            raise self._wrong(node, f"'{node.text}' is {what}, not a condition ({BINDS})")

        def of(lookup: Lookup, values: Values) -> Values:
            other = (values != 0) & (values != 1)
            if other.any():
                place = int(np.argmax(other))
                event = place if node.collection is None else lookup.event[node.collection][place]
                raise lookup.wrong_at(
                    int(event),
                    f"{self.where}: '{node.text}' is {values[place]}, neither 0 nor 1, and stands "
                    f"as a condition",
                )
            return np.where(values == 1, TRUE, FALSE)

        whose = node.collection
        return Node(node.text, node.column, whose, PLAIN, of, (node,), whose, condition=True)

    def _call(self, tree: ast.Call) -> Node:
        name = tree.func.id if isinstance(tree.func, ast.Name) else ""
        if name not in CALLS:
            near = difflib.get_close_matches(name, CALLS, n=3) or CALLS
            raise self._wrong(
                tree, f"there is no function '{self._text_of(tree.func)}': {', '.join(near)}"
            )
        if name in REDUCTIONS:
            return self._reduction(tree, name)
        if name == "bit":
            return self._bit(tree)
        function = FUNCTIONS.get(name)
        self._require(tree, name, (function.arguments if function else 3,), ())
        nodes = [self._node(part) for part in tree.args]
        return (
            self._choice(tree, nodes) if function is None else self._applied(tree, function, nodes)
        )

    def _bit(self, tree: ast.Call) -> Node:
        self._require(tree, "bit", (2,), ())
        mask, place = (self._node(part) for part in tree.args)
        if mask.condition or mask.unit not in (None, PLAIN):
            raise self._wrong(mask, f"'{mask.text}' is no mask of bits, a plain integer")
        if not isinstance(place.constant, int) or not 0 <= place.constant < BITS:
            raise self._wrong(place, f"a bit is 0, 1, ... {BITS - 1}, not '{place.text}'")
        lacks = "has no value: a mask is an integer from 0, as a 32-bit float below 2^24"
        of = functools.partial(has_bit, place.constant)
        return self._made(tree, [mask], unit=PLAIN, of=of, condition=True, lacks=lacks)

    def _require(
        self, tree: ast.Call, name: str, arguments: tuple[int, ...], keywords: tuple[str, ...]
    ) -> None:
        if len(tree.args) not in arguments:
            hint = f", {name}imum(a, b) two" if name in ("min", "max") else ""
            count = " or ".join(map(str, arguments))
            plural = "s" if arguments != (1,) else ""
            raise self._wrong(
                tree, f"{name} takes {count} argument{plural}, not {len(tree.args)}{hint}"
            )
        for keyword in tree.keywords:
            if keyword.arg not in keywords:
                valid = " and ".join(f"{one}=" for one in keywords) or "nothing"
                raise self._wrong(
                    keyword.value, f"{name} takes {valid} by name, not '{keyword.arg}'"
                )

    def _choice(self, tree: ast.expr, nodes: Sequence[Node]) -> Node:
        condition, *values = self._condition(nodes[0]), *nodes[1:]
        are_conditions = all(value.condition for value in values)
        unknown = UNKNOWN if are_conditions else np.nan
        if not are_conditions:
            values = [self._number(value) for value in values]
        return self._made(
            tree,
            [condition, *values],
            unit=self._unit(tree, like, values),
            of=lambda _, codes, yes, no: chosen(codes, yes, no, unknown),
            condition=are_conditions,
        )

    def _reduction(self, tree: ast.Call, name: str) -> Node:
        """Return a function of the objects of each event."""
        reduction = REDUCTIONS[name]
        places = (1, 2) if name == "leading" else (1,)
        self._require(
            tree, name, places, ("where", "default") if reduction.has_default else ("where",)
        )
        said = {str(keyword.arg): self._node(keyword.value) for keyword in tree.keywords}
        operand = self._objects(tree.args[0]) if name == "count" else self._node(tree.args[0])
        operand = (self._condition if reduction.takes_condition else self._number)(operand)
        whose = operand.collection
        if whose is None:
            raise self._wrong(
                operand, f"'{operand.text}' has no list for each event, of which {name} is made"
            )
        children: list[Node] = [operand]
        given: dict[str, float] = {}
        if "default" in said:
            if said["default"].constant is None:
                raise self._wrong(
                    said["default"], f"default= is a literal, not '{said['default'].text}'"
                )
            given["default"] = float(said["default"].constant)
        lacks = f"has no value, of no {whose}"
        if name == "leading":
            if f"{whose}.pt" not in self.names:
                raise self._wrong(
                    tree, f"there is no {whose}.pt, in which one of the {whose} may lead"
                )
            children.append(self._named(tree, f"{whose}.pt"))
            given["place"] = place = self._place(tree)
            lacks = f"has no value, there being fewer than {place} of the {whose}"
        if "where" in said:
            children.append(self._condition(said["where"]))

        def of(lookup: Lookup, *values: Values) -> Values:
            arrays, which = (values[:-1], values[-1]) if "where" in said else (values, None)
            return reduction.computed(lookup, whose, arrays, which, given)

        return self._made(
            tree,
            children,
            collection=None,
            unit=PLAIN if reduction.takes_condition else operand.unit,
            of=of,
            condition=reduction.gives_condition,
            lacks=f"{lacks}: say its default=, or ask first, as in "
            f"'count({whose}) >= {given.get('place', 1)} and ...'",
        )

    def _objects(self, tree: ast.expr) -> Node:
        """Return a condition, true of every object where a collection itself is named."""
        if not isinstance(tree, ast.Name) or tree.id not in self.collections:
            return self._node(tree)
        whose = tree.id
        self.looked_at[whose] = None

        def of(lookup: Lookup) -> Values:
            return np.full(len(lookup.event[whose]), TRUE)

        return self._made(tree, (), collection=whose, unit=PLAIN, of=of, condition=True)

    def _place(self, tree: ast.Call) -> int:
        if len(tree.args) == 1:
            return 1
        node = self._node(tree.args[1])
        if not isinstance(node.constant, int) or node.constant < 1:
            raise self._wrong(node, f"the place of leading is 1, 2, ..., not '{node.text}'")
        return node.constant
