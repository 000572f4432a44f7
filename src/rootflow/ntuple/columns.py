"""Values of branches in the units of rootflow, checked, and who the events are that have them."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.ntuple.branch_map import BranchMap
from rootflow.ntuple.units import BranchColumn
from rootflow.places import Place

# Stands where a file lacks a branch that others of the dataset have.
LACKING = -1

Integers = NDArray[np.int64] | NDArray[np.uint64]


class Identity(NamedTuple):
    """Who n events of one file are.

    `number` (n,) is int64 or uint64, as the branch is signed or not; `beside` (n,) by branch the
    rest of the identity, as far as the file has it; `fold_number` (n,) decides the fold, the number
    where it is None. `of_row` says that the number is that of the row, since the file has none.
    """

    number: Integers
    beside: Mapping[str, Integers]
    fold_number: Integers | None = None
    of_row: bool = False

    def arrays(self, index: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return what there is of the events at `index`, by the names of `Events`."""
        found: dict[str, NDArray[Any]] = {"event_number": self.number[index]}
        if self.beside:
            found["identity"] = structured(
                {name: values[index] for name, values in self.beside.items()}
            )
        if self.fold_number is not None:
            found["fold_number"] = self.fold_number[index].astype(np.uint64)
        return found


def structured(columns: Mapping[str, NDArray[Any]], dtype: type = np.int64) -> NDArray[np.void]:
    """Return columns as an array with a field of this type for each."""
    count = len(next(iter(columns.values())))
    rows = np.empty(count, [(name, dtype) for name in columns])
    for name, values in columns.items():
        rows[name] = values
    return rows


def in_words(number: NDArray[Any], beside: Mapping[str, NDArray[Any]], event: int) -> str:
    """Return who one of n events is, for messages: its number, and the rest of its identity."""
    said = {name: values[event] for name, values in beside.items()}
    rest = ", ".join(f"{name} {value}" for name, value in said.items() if value != LACKING)
    return f"event {number[event]} ({rest})" if rest else f"event {number[event]}"


def read_identity(
    path: Place, arrays: Mapping[str, Any], branch_map: BranchMap, first_entry: int
) -> Identity:
    """Return who the events of a chunk are, by the numbers of their rows where the map has none."""
    number: Integers
    if branch_map.event_number is None:
        count = len(next(iter(arrays.values())))
        number = np.arange(first_entry, first_entry + count, dtype=np.uint64)
    else:
        number = _integers_of(path, arrays, branch_map.event_number)
    beside = {
        column.branch: _integers_of(path, arrays, column) for column in branch_map.beside_number()
    }
    for name, values in beside.items():
        if values.dtype == np.uint64 and (values > np.iinfo(np.int64).max).any():
            raise InputError(
                f"{path}: branch '{name}' is 2^63 or more: as part of the identity it must be less"
            )
    decides = branch_map.fold_number
    fold_number = None if decides is None else _integers_of(path, arrays, decides)
    return Identity(number, beside, fold_number, of_row=branch_map.event_number is None)


def _integers_of(path: Place, arrays: Mapping[str, Any], column: BranchColumn) -> Integers:
    """Return (n,) integers of a branch, signed where the branch is."""
    values = np.asarray(arrays[column.branch])
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise InputError(
            f"{path}: branch '{column.branch}' does not hold one integer for each event, as a "
            f"number that identifies events is"
        )
    if values.dtype.kind == "i":
        return values.astype(np.int64)
    return values.astype(np.uint64)


Values = NDArray[np.float32]

# Twice the beam energy of the LHC and more: no energy in an event can be larger.
LARGEST_ENERGY_GEV = 14_000.0
# No jet or lepton that is reconstructed is this soft, nor are all of many other momenta.
SMALLEST_PT_GEV = 1.0
# How many values tell that a unit is wrong by the largest of them.
MANY = 100

ENERGY_UNITS = ("MeV", "GeV")


Offsets = NDArray[np.int64]
"""(n + 1,) where the list of each of n events begins among all values, and their number."""


class Lists(NamedTuple):
    """Lists of numbers, one for each event."""

    offsets: Offsets
    values: NDArray[Any]


def event_of(place: int, offsets: Offsets | None) -> int:
    """Return the event of a value in lists of these offsets, or of one for each event."""
    return place if offsets is None else int(np.searchsorted(offsets, place, side="right")) - 1


class Rows(NamedTuple):
    """Some events of one file as read, an awkward array for each branch, and what messages need."""

    path: Place
    arrays: Mapping[str, Any]
    identity: Identity
    first_entry: int = 0

    def scalar(self, column: BranchColumn) -> NDArray[Any]:
        """Return (n,) values as they are in the file: one finite number for each event."""
        values = self.scalar_or_nan(column)
        if values.dtype.kind == "f" and not np.isfinite(largest_of(values)):
            self.refuse_where(~np.isfinite(values), column, "is {}", values)
        return values

    def scalar_or_nan(self, column: BranchColumn) -> NDArray[Any]:
        """Return what `scalar` does, of a branch in which NaN has a meaning."""
        if column.index is None:
            values = _numbers(self.arrays[column.branch].layout)
            if values is None or values.ndim != 1:
                raise self.wrong(column, "does not hold one number for each event")
            return values
        layout = self.arrays[column.branch].layout
        if isinstance(layout, ak.contents.RegularArray) and layout.size > column.index:
            numbers = _numbers(layout.content)
            if numbers is not None and numbers.ndim == 1:
                return numbers[column.index :: layout.size][: len(layout)]
        lists = self.lists(column)
        too_short = np.diff(lists.offsets) <= column.index
        self.refuse_where(too_short, column, f"has no place {column.index}")
        return lists.values[lists.offsets[:-1] + column.index]

    def lists(self, column: BranchColumn) -> Lists:
        """Return the lists of a branch as they are in the file."""
        lists = self._unchecked_lists(column)
        if np.any(lists.offsets[1:] < lists.offsets[:-1]):
            raise self.wrong(column, "has lists of negative length: the file is damaged")
        return lists

    def _unchecked_lists(self, column: BranchColumn) -> Lists:
        layout = self.arrays[column.branch].layout
        if isinstance(layout, ak.contents.RegularArray):
            layout = layout.to_ListOffsetArray64(True)
        if isinstance(layout, ak.contents.ListOffsetArray):
            offsets = np.asarray(layout.offsets.data, dtype=np.int64)
            numbers = _numbers(layout.content)
            if numbers is not None and numbers.ndim == 1:
                numbers = numbers[offsets[0] : offsets[-1]]
                return Lists(offsets - offsets[0] if offsets[0] else offsets, numbers)
        raise self.wrong(column, "does not hold a list of numbers for each event")

    def objects(self, column: BranchColumn, offsets: NDArray[np.int64]) -> NDArray[Any]:
        """Return the values of all jets or leptons in the file, whose lists have these offsets."""
        lists = self._unchecked_lists(column)
        if not np.array_equal(lists.offsets, offsets):
            others = np.diff(self.lists(column).offsets) != np.diff(offsets)
            self.refuse_where(others, column, "has not as many values as there are momenta")
        return lists.values

    def without_padding(self, present: BranchColumn, columns: Iterable[BranchColumn]) -> "Rows":
        """Return the rows with these columns of lists as long as `present` is not zero."""
        lists = self.lists(present)
        event = np.repeat(np.arange(len(lists.offsets) - 1), np.diff(lists.offsets))
        there = lists.values != 0
        after = np.zeros_like(there)
        after[1:] = there[1:] & ~there[:-1] & (event[1:] == event[:-1])
        what = "is zero before it is not: padding must be at the end of each list"
        self.refuse_where(after, present, what, offsets=lists.offsets)
        counts = np.bincount(event[there], minlength=len(lists.offsets) - 1)
        offsets = ak.index.Index64(np.append(0, np.cumsum(counts)))
        arrays = {}
        for column in columns:
            values = ak.contents.NumpyArray(self.objects(column, lists.offsets)[there])
            arrays[column.branch] = ak.Array(ak.contents.ListOffsetArray(offsets, values))
        return self._replace(arrays={**self.arrays, **arrays})

    def converted(
        self, column: BranchColumn, raw: NDArray[Any], offsets: Offsets | None = None
    ) -> Values:
        """Return float32 values in GeV, rad or plain numbers of those in the file.

        `offsets` are those of the lists that they are of, where there is not one for each event. A
        value that is not finite is refused, and an energy beyond what a collider can give.
        """
        with np.errstate(over="ignore"):  # it is refused
            values: Values = np.asarray(raw, dtype=np.float32)
        if column.unit == "MeV":
            values = values / np.float32(1000)
        largest = largest_of(values)
        if not np.isfinite(largest):
            self.refuse_where(~np.isfinite(values), column, "is {}", raw, offsets=offsets)
        if column.unit in ENERGY_UNITS and largest > LARGEST_ENERGY_GEV:
            self.refuse_where(
                np.abs(values) == largest,
                column,
                f"is {{:,.0f}} GeV when read as {column.unit}, more than any "
                f"collision gives: is its unit in the branch map right?",
                values,
                offsets=offsets,
            )
        return values

    def require_possible(
        self,
        columns: Mapping[str, BranchColumn],
        given: Mapping[str, NDArray[Any]],
        made: NDArray[Any],
        offsets: Offsets | None = None,
    ) -> None:
        """Refuse energies or momenta, made of several branches, beyond what a collider can give.

        `columns` and `given`, (k,) each, are what they are made of, by name; `made` is (k,)
        in GeV, and the offsets are those of `converted`.
        """
        if largest_of(made) <= LARGEST_ENERGY_GEV:
            return
        possible = np.abs(made) <= LARGEST_ENERGY_GEV
        where = int(np.argmin(possible))
        values = ", ".join(
            f"'{column.branch}' is {given[name][where]:g}" for name, column in columns.items()
        )
        raise self.wrong_at(
            event_of(where, offsets),
            f"branch {values}: a momentum of more than any collision gives: are branches and "
            f"units in the branch map right?",
        )

    def require_unit(
        self, column: BranchColumn, values: Values, smallest: float, count: int | None = None
    ) -> None:
        """Refuse the unit of many energies that are all smaller than what they can be.

        A few may be small by chance, and zeros stand for what is not there: so many are, all for
        None.
        """
        count = len(values) if count is None else count
        if (
            column.unit in ENERGY_UNITS
            and count >= MANY
            and 0 < (largest := values.max()) < smallest
        ):
            raise self.wrong(
                column,
                f"is at most {largest:.2g} GeV in {count} events when read as "
                f"{column.unit}, not {smallest:g} GeV or more: is its unit in the branch map "
                f"right?",
            )

    def refuse_where(
        self,
        wrong: NDArray[np.bool_],
        column: BranchColumn,
        what: str,
        *values: NDArray[Any],
        offsets: Offsets | None = None,
    ) -> None:
        """Refuse what is wrong anywhere; `what` says it of the values of the first such place.

        The offsets are those of `converted`.
        """
        if wrong.any():
            where = int(np.argmax(wrong))
            said = what.format(*(each[where] for each in values))
            raise self.wrong(column, said, event_of(where, offsets))

    def wrong(self, column: BranchColumn, what: str, event: Any = None) -> InputError:
        """Return the error that says what is wrong with a branch, and where."""
        said = f"branch '{column.branch}' {what}"
        if event is None:
            return InputError(f"{self.path}: {said}")
        return self.wrong_at(int(event), said)

    def wrong_at(self, event: int, what: str) -> InputError:
        """Return the error that says what is wrong with an event, and where it is."""
        entry = self.first_entry + event
        who = in_words(self.identity.number, self.identity.beside, event)
        return InputError(f"{self.path}, {who}: {what} (entry {entry})")


def energies(values: Mapping[str, Values]) -> Values:
    """Return energies in GeV, sqrt(m^2 + p^2), of the mass and pt, eta or px, py, pz.

    Masses are rounded: where that has made m^2 negative, -sqrt(-m^2) stands for it.
    """
    mass = values["mass"]
    with np.errstate(all="ignore"):  # what is no number is refused
        if "pt" in values:
            exponential = np.exp(-values["eta"])
            size = values["pt"] ** 2 * (0.5 * (1 + exponential**2) / exponential) ** 2
        else:
            size = np.square(values["px"]) + np.square(values["py"]) + np.square(values["pz"])
        return np.asarray(np.sqrt(np.maximum(np.copysign(mass**2, mass) + size, 0)))


def largest_of(values: NDArray[Any]) -> float:
    """Return the largest absolute value, NaN where any value is, 0 of none."""
    return float(max(values.max(), -values.min())) if values.size else 0.0


def _numbers(layout: Any) -> NDArray[Any] | None:
    is_number = isinstance(layout, ak.contents.NumpyArray) and layout.dtype.kind in "biuf"
    return np.asarray(layout.data) if is_number else None
