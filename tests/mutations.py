"""Inputs with something wrong in them, and what may leave rootflow when it is given them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rootflow.errors import RootflowError

Case = TypeVar("Case")

LONGEST_LINE = 20_000
# In CI 250 for each of eight kinds of input; ten times as many with -m exhaustive.
EXAMPLES = pytest.mark.parametrize(
    "examples", [250, pytest.param(2500, marks=pytest.mark.exhaustive)]
)

# Plain data that a setting, or an entry of a map, does not expect.
NUMBERS = [0, -1, 1, 2**31, 2**63, 10**21, 10**400, 0.0, -0.5, 1e-320, 1e308, 1e999, float("nan")]
WORDS = ["", " ", "nan", "a\nb", "a\0b", "é", "x" * 5000, "../..", "{slot}", "**", "~none", "1e9"]
VALUES = [*NUMBERS, *WORDS, None, True, [], {}, [[]], {"a": 1}, [None], {"": {}}, [1.5, 0.5]]
# The same as text, with what is no plain data.
TEXTS = [
    *("~", "yes", "2024-02-30", "12:99:99", "0x", "0b2", "1_0", ".inf", "-.nan", "9" * 5000),
    *("!!int ''", "!!float x", "!!binary %", "!!set {a}", "!!omap [a]", "!!python/none x", "!t"),
    *("&a [*a]", "*a", "<<: 1", "{<<: [1]}", "{a: 1, a: 2}", "? [a]\n: b", "=", "- ", "\t", "%"),
    *("[" * 500, "{a: " * 300, "- " * 300, "'", '"\\x"', "|\n a", "a: b: c", "\ufeff", "\u2028"),
]


def search(examples: int, cases: st.SearchStrategy[Case], use: Callable[[Case], object]) -> None:
    """Give so many cases to what is tested, the same ones each time; only own errors may leave."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def each(case: Case) -> None:
        with only_own_errors():
            use(case)

    each()


@contextmanager
def only_own_errors() -> Iterator[None]:
    """Let pass what a user sees as one line, and nothing else."""
    try:
        yield
    except (RootflowError, click.UsageError) as error:
        _require_a_line(str(error))


def _require_a_line(said: str) -> None:
    assert said.strip()
    assert "\n" not in said, said
    assert len(said) < LONGEST_LINE, said


def paths_in(data: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each part of plain data, the whole among them."""
    yield above
    if isinstance(data, dict | list):
        for key, part in data.items() if isinstance(data, dict) else enumerate(data):
            yield from paths_in(part, (*above, key))


def changed_at(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return plain data with another value at a path."""
    if not path:
        return value
    key, *rest = path
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[key] = changed_at(data[key], tuple(rest), value)
    return copy


def changed_data(data: Any) -> st.SearchStrategy[Any]:
    """Return plain data with one, two or three parts changed, or a key that is new."""
    values = st.sampled_from(VALUES)
    places = st.sampled_from(list(paths_in(data)))

    @st.composite
    def changed(draw: st.DrawFn) -> Any:
        found = data
        for _ in range(draw(st.integers(1, 3))):
            path = draw(places)
            try:
                part = found
                for key in path:
                    part = part[key]
            except (LookupError, TypeError):
                continue  # it was changed away
            if isinstance(part, dict) and draw(st.booleans()):
                new = draw(st.sampled_from(["new", "base", 1, None, *part]))
                part = {**part, new: draw(values)}
            else:
                part = draw(values)
            found = changed_at(found, path, part)
        return found

    return changed()


@st.composite
def changed_text(draw: st.DrawFn, text: str) -> str:
    """Return a text with one, two or three pieces cut, doubled or put in."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 30)))
        new = draw(st.sampled_from(["", *TEXTS, *map(str, WORDS), text[start:stop] * 2]))
        text = text[:start] + new + text[stop:]
    return text


class Changed(bytes):
    """Bytes that say how they were changed, and not what they are."""

    edits: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes: {'; '.join(self.edits)}>"


@st.composite
def changed_bytes(draw: st.DrawFn, content: bytes) -> Changed:
    """Return bytes of which some are flipped, overwritten, cut out, put in or cut off."""
    found, edits = bytearray(content), []
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(len(found) - 1, 0)))
        length = draw(st.sampled_from([1, 2, 4, 8, 64, 1024]))
        kind = draw(st.sampled_from(["flip", "zero", "ones", "noise", "cut", "twice", "end"]))
        part = bytes(found[start : start + length])
        edits.append(f"{kind} {length} at {start}")
        if kind == "flip" and part:
            found[start] ^= 1 << draw(st.integers(0, 7))
        elif kind in ("zero", "ones"):
            found[start : start + length] = (b"\0" if kind == "zero" else b"\xff") * len(part)
        elif kind == "noise":
            found[start : start + length] = draw(st.binary(max_size=length))
        elif kind == "cut":
            del found[start : start + length]
        elif kind == "twice":
            found[start:start] = part
        elif kind == "end":
            del found[start:]
    changed = Changed(found)
    changed.edits = tuple(edits)
    return changed
