"""The operators and functions of expressions: what they do to values and to units.

Numbers are float64, NaN where they have no value. Conditions are FALSE, UNKNOWN or TRUE, in this
order, so that "and" is the smaller, "or" the larger, and "not" the mirror image: what is false
whatever the unknown part is, is false.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.ntuple.units import PLAIN, RAD, Dimension, Unit, like, power, product, require_unit
from rootflow.physics.kinematics import delta_phi, delta_r

Values = NDArray[Any]
Codes = NDArray[np.int8]

FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)


class Lookup(NamedTuple):
    """Some events, from which expressions are computed.

    `values` returns what has that name: one number for each event, or for each object of its
    collection, in the unit that `parse` was told. `event` is for each collection the event of each
    of its objects, 0 to n_events - 1, in any order. `wrong_at` returns the error that says
    something about one of the events, as `Table.wrong_at` does.
    """

    values: Callable[[str], Values]
    event: Mapping[str, NDArray[np.int64]]
    n_events: int
    wrong_at: Callable[[int, str], InputError]


@dataclass(frozen=True)
class Node:
    """A part of an expression.

    It has a value for each object of its `collection`, or for each event where that is None; the
    `unit` None is that of a literal, which goes with any. `of` takes the lookup and the values of
    the children, each for the objects of `over`, or for events where that is None. `constant` is
    the number of a literal, `is_name` says what has a name, which may stand for a condition, and
    `lacks` why it may have no value where its children do.
    """

    text: str
    column: int
    collection: str | None
    unit: Unit
    of: Callable[..., Values]
    children: tuple["Node", ...] = ()
    over: str | None = None
    condition: bool = False
    constant: float | None = None
    is_name: bool = False
    lacks: str = "is not a finite number"

    def values(self, lookup: Lookup) -> Values:
        """Return the values for some events."""
        return self.of(lookup, *(child._as_of(self.over, lookup) for child in self.children))

    def _as_of(self, over: str | None, lookup: Lookup) -> Values:
        values = self.values(lookup)
        if self.constant is None and self.collection is None and over is not None:
            return values[lookup.event[over]]
        return values

    def lacking_in(self, event: int, lookup: Lookup) -> "Node":
        """Return the innermost part that has no value in an event in which this has none."""
        for child in self.children:
            if child.constant is None:
                lacks = missing(child.values(lookup))
                of = event if child.collection is None else lookup.event[child.collection] == event
                if np.any(lacks[of]):
                    return child.lacking_in(event, lookup)
        return self


def _rule(gives: Unit, wanted: Dimension) -> Callable[..., Unit]:
    """Return the rule of a function that gives one unit, of arguments that all have another."""

    def unit_of(*units: Unit) -> Unit:
        require_unit(wanted, *units)
        return gives

    return unit_of


_plain, _plain_to_angle, _angles = _rule(PLAIN, PLAIN), _rule(RAD, PLAIN), _rule(RAD, RAD)
_ratio = partial(product, sign=-1)


def _any_to_plain(*_: Unit) -> Unit:
    return PLAIN


def _angle_to_plain(unit: Unit) -> Unit:
    if unit != RAD:
        require_unit(PLAIN, unit)
    return PLAIN


def _like_to_angle(*units: Unit) -> Unit:
    like(*units)
    return RAD


def _directions(eta: Unit, phi: Unit, other_eta: Unit, other_phi: Unit) -> Unit:
    require_unit(PLAIN, eta, other_eta)
    require_unit(RAD, phi, other_phi)
    return PLAIN


class Function(NamedTuple):
    """A function of numbers, element by element: how many, their units, and what it does."""

    arguments: int
    unit: Callable[..., Unit]
    of: Callable[..., Values]


FUNCTIONS: dict[str, Function] = {
    "abs": Function(1, like, np.abs),
    "sqrt": Function(1, lambda unit: power(unit, 0.5), np.sqrt),
    "log": Function(1, _any_to_plain, np.log),
    "log10": Function(1, _any_to_plain, np.log10),
    "exp": Function(1, _plain, np.exp),
    "sin": Function(1, _angle_to_plain, np.sin),
    "cos": Function(1, _angle_to_plain, np.cos),
    "tan": Function(1, _angle_to_plain, np.tan),
    "asin": Function(1, _plain_to_angle, np.arcsin),
    "acos": Function(1, _plain_to_angle, np.arccos),
    "atan": Function(1, _plain_to_angle, np.arctan),
    "atan2": Function(2, _like_to_angle, np.arctan2),
    "sinh": Function(1, _plain, np.sinh),
    "cosh": Function(1, _plain, np.cosh),
    "tanh": Function(1, _plain, np.tanh),
    "sign": Function(1, _any_to_plain, np.sign),
    "hypot": Function(2, like, np.hypot),
    "minimum": Function(2, like, np.minimum),
    "maximum": Function(2, like, np.maximum),
    "delta_phi": Function(2, _angles, delta_phi),
    "delta_r": Function(4, _directions, delta_r),
}

ARITHMETIC: dict[type[ast.operator], Function] = {
    ast.Add: Function(2, like, np.add),
    ast.Sub: Function(2, like, np.subtract),
    ast.Mult: Function(2, product, np.multiply),
    ast.Div: Function(2, _ratio, np.divide),
    ast.FloorDiv: Function(2, _ratio, np.floor_divide),
    ast.Mod: Function(2, like, np.mod),
    ast.Pow: Function(2, _plain, np.power),  # of literal exponents the parser knows more
}

COMPARISONS: dict[type[ast.cmpop], Callable[[Values, Values], Values]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}


def missing(values: Values) -> Values:
    """Return where there is no value."""
    return values == UNKNOWN if values.dtype == np.int8 else np.isnan(values)


def numbers(function: Callable[..., Values], *arguments: Values) -> Values:
    """Return what a function makes of numbers, NaN where that is not finite."""
    with np.errstate(all="ignore"):  # what has no value is asked for later
        values: Values = np.asarray(function(*(np.asarray(one, np.float64) for one in arguments)))
    return np.where(np.isfinite(values), values, np.nan)


def compared(function: Callable[[Values, Values], Values], left: Values, right: Values) -> Codes:
    """Return the condition, unknown where one side has no value."""
    codes = np.where(function(left, right), TRUE, FALSE)
    return np.where(np.isnan(left) | np.isnan(right), UNKNOWN, codes)


def chosen(condition: Codes, yes: Values, no: Values, unknown: Any) -> Values:
    """Return one of two values, and what is unknown where the condition is."""
    return np.where(condition == TRUE, yes, np.where(condition == FALSE, no, unknown))


# Beyond it floats skip integers, so that the last bits of a mask are lost.
LARGEST_MASK = {np.dtype(np.float32): 2.0**24, np.dtype(np.float64): 2.0**53}


def has_bit(place: int, _: Lookup, masks: Values) -> Codes:
    """Return whether the bit of 2^place is set, unknown of what is no integer from 0."""
    if masks.dtype.kind == "f":
        limit = LARGEST_MASK.get(masks.dtype, 2.0**11)
        with np.errstate(invalid="ignore"):
            known = (masks >= 0) & (masks < limit) & (masks == np.floor(masks))
        masks = np.where(known, masks, 0).astype(np.int64)
    else:
        known = masks >= 0
    is_set = masks.astype(np.uint64) >> np.uint64(place) & np.uint64(1)
    return np.where(known, np.where(is_set, TRUE, FALSE), UNKNOWN)


class Reduction(NamedTuple):
    """A function of the objects of each event.

    It is made of conditions, or else of numbers, and so is what it gives. One with a default has no
    value in an event without objects, unless it is said. `of` takes values (those of leading: and
    pT), the event of each, the number of events, and what was said by name.
    """

    takes_condition: bool
    gives_condition: bool
    has_default: bool
    of: Callable[..., Values]

    def computed(
        self,
        lookup: Lookup,
        collection: str,
        values: Sequence[Values],
        which: Codes | None,
        said: Mapping[str, float],
    ) -> Values:
        """Return one value for each event, of all of its objects or of those that are TRUE."""
        event = lookup.event[collection]
        if not self.takes_condition:
            values = [np.asarray(one, np.float64) for one in values]
        if which is None:
            return self.of(*values, event, lookup.n_events, **said)
        keep = which == TRUE
        result = self.of(*(one[keep] for one in values), event[keep], lookup.n_events, **said)
        result[event[which == UNKNOWN]] = UNKNOWN if self.gives_condition else np.nan
        return result


def _reduced(
    function: np.ufunc, of_none: Any, values: Values, event: NDArray[np.int64], n_events: int
) -> Values:
    result = np.full(n_events, of_none)
    function.at(result, event, values)
    return result


def _count(codes: Codes, event: NDArray[np.int64], n_events: int) -> Values:
    counts = np.bincount(event[codes == TRUE], minlength=n_events).astype(np.float64)
    counts[event[codes == UNKNOWN]] = np.nan
    return counts


def _sum(values: Values, event: NDArray[np.int64], n_events: int) -> Values:
    return np.bincount(event, values, minlength=n_events).astype(np.float64)  # of nothing, too


def _extreme(
    function: np.ufunc,
    beyond: float,
    values: Values,
    event: NDArray[np.int64],
    n_events: int,
    default: float = np.nan,
) -> Values:
    result = _reduced(function, beyond, values, event, n_events)
    result[np.bincount(event, minlength=n_events) == 0] = default
    return result


def _leading(
    values: Values,
    pt: Values,
    event: NDArray[np.int64],
    n_events: int,
    place: int,
    default: float = np.nan,
) -> Values:
    next_event = event[1:] > event[:-1]
    if np.all(next_event | ((event[1:] == event[:-1]) & (pt[1:] <= pt[:-1]))):
        order = np.arange(len(event))
    else:
        order = np.lexsort((-pt, event))  # of equal pT in the order in which they are
    counts = np.bincount(event, minlength=n_events)
    first = np.cumsum(counts) - counts
    result = np.full(n_events, default)
    there = counts >= place
    result[there] = values[order[first[there] + place - 1]]
    return result


REDUCTIONS: dict[str, Reduction] = {
    "any": Reduction(True, True, False, partial(_reduced, np.maximum, FALSE)),
    "all": Reduction(True, True, False, partial(_reduced, np.minimum, TRUE)),
    "count": Reduction(True, False, False, _count),
    "sum": Reduction(False, False, False, _sum),
    "min": Reduction(False, False, True, partial(_extreme, np.minimum, np.inf)),
    "max": Reduction(False, False, True, partial(_extreme, np.maximum, -np.inf)),
    "leading": Reduction(False, False, True, _leading),
}
