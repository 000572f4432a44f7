"""Expressions against awkward, which computes the same event by event."""

from typing import Any

import awkward as ak
import numpy as np
import pytest

from rootflow.errors import InputError, UsageError
from rootflow.ntuple.expressions import (
    Expression,
    Lookup,
    Quantity,
    parse,
    parse_cut,
    parse_features,
)

NAMES = {
    "jets.pt": Quantity("GeV", "jets"),
    "jets.eta": Quantity("none", "jets"),
    "jets.phi": Quantity("rad", "jets"),
    "jets.energy": Quantity("GeV", "jets"),
    "jets.btag": Quantity("none", "jets"),
    "leptons.pt": Quantity("GeV", "leptons"),
    "leptons.eta": Quantity("none", "leptons"),
    "leptons.phi": Quantity("rad", "leptons"),
    "taus.eta": Quantity("none", "taus"),
    "met.pt": Quantity("GeV"),
    "met.phi": Quantity("rad"),
    "n_jets": Quantity("none"),
    "trigE": Quantity("none"),
    "trigM": Quantity("none"),
    "run": Quantity("none"),
}
N_EVENTS = 200


def _objects(random: np.random.Generator, most: int) -> Any:
    counts = random.integers(0, most, N_EVENTS)
    total = int(counts.sum())
    numbers = {
        "pt": random.choice([25, 27.3, 30, 52.5, 101.25, 300], total),
        "eta": random.uniform(-2.5, 2.5, total),
        "phi": random.uniform(-np.pi, np.pi, total),
        "energy": random.uniform(300, 900, total),
        "btag": random.integers(1, 6, total),
    }
    flat = ak.Array({name: values.astype(np.float32) for name, values in numbers.items()})
    return ak.unflatten(flat, counts)


RANDOM = np.random.default_rng(7)
EVENTS = ak.Array(
    {
        "jets": _objects(RANDOM, 7),
        "leptons": _objects(RANDOM, 4),
        "met": ak.Array(
            {
                "pt": RANDOM.uniform(0, 200, N_EVENTS).astype(np.float32),
                "phi": RANDOM.uniform(-3, 3, N_EVENTS).astype(np.float32),
            }
        ),
        "n_jets": RANDOM.integers(0, 5, N_EVENTS).astype(np.float32),
        "trigE": RANDOM.integers(0, 2, N_EVENTS).astype(np.int8),
        "trigM": RANDOM.integers(0, 2, N_EVENTS).astype(bool),
        "run": np.arange(N_EVENTS, dtype=np.uint64) + 2**63,
    }
)
assert 0 in ak.num(EVENTS.jets)


def _wrong_at(event: int, what: str) -> InputError:
    return InputError(f"event {event}: {what}")


def _lookup(shuffle: bool = False) -> Lookup:
    """Return the events, with the objects of a collection in any order of events if asked."""
    event, order = {}, {}
    for name in ("jets", "leptons"):
        event[name] = np.repeat(np.arange(N_EVENTS), ak.num(EVENTS[name]))
        # Those of one event stay in their order.
        halves = np.argsort(event[name] % 2, kind="stable")
        order[name] = halves if shuffle else np.arange(len(halves))
        event[name] = event[name][order[name]]

    def values(name: str) -> Any:
        collection, _, feature = name.rpartition(".")
        if collection in order:
            return np.asarray(ak.flatten(EVENTS[collection][feature]))[order[collection]]
        return np.asarray(EVENTS[collection][feature] if collection else EVENTS[feature])

    return Lookup(values, event, N_EVENTS, _wrong_at)


def _wide(name: str) -> Any:
    collection, feature = name.split(".")
    return ak.values_astype(EVENTS[collection][feature], np.float64)


JETS, LEPTONS, MET = EVENTS.jets, EVENTS.leptons, EVENTS.met
BTAG = ak.values_astype(JETS.btag, np.int64)
JET_PT, MET_PT = _wide("jets.pt"), _wide("met.pt")
DELTA_PHI = (_wide("jets.phi") - _wide("met.phi") + np.pi) % (2 * np.pi) - np.pi
IN_PT = JETS[ak.argsort(JETS.pt, ascending=False, stable=True)]


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("sum(jets.pt)", "GeV", ak.sum(JET_PT, -1)),
        ("sum(jets.pt) + met.pt", "GeV", ak.sum(JET_PT, -1) + MET_PT),
        ("sum(jets.pt / jets.energy)", "none", ak.sum(JET_PT / _wide("jets.energy"), -1)),
        ("sum(jets.pt, where=jets.btag >= 4)", "GeV", ak.sum(JET_PT[JETS.btag >= 4], -1)),
        ("sum(jets.pt, where=jets.btag >= 100)", "GeV", np.zeros(N_EVENTS)),
        ("sum(where(jets.btag >= 4, jets.pt, 0))", "GeV", ak.sum(JET_PT[JETS.btag >= 4], -1)),
        ("count(jets)", "none", ak.num(JETS)),
        ("count(jets.btag >= 4)", "none", ak.sum(JETS.btag >= 4, -1)),
        ("count(20 < jets.pt <= 52.5)", "none", ak.sum((JETS.pt > 20) & (JETS.pt <= 52.5), -1)),
        ("count(jets.pt >= 27.3)", "none", ak.sum(JETS.pt >= np.float32(27.3), -1)),
        ("any(jets.pt > met.pt)", "none", ak.any(JETS.pt > MET.pt, -1)),
        ("all(abs(jets.eta) < 1.5)", "none", ak.all(abs(JETS.eta) < 1.5, -1)),
        ("all(jets.pt > 30, where=jets.eta > 0)", "none", ak.all(JETS.pt[JETS.eta > 0] > 30, -1)),
        ("max(jets.pt, default=0)", "GeV", ak.fill_none(ak.max(JET_PT, -1), 0)),
        ("min(jets.eta, default=-9)", "none", ak.fill_none(ak.min(JETS.eta, -1), -9)),
        (
            "max(jets.eta, where=jets.btag > 3, default=5.5)",
            "none",
            ak.fill_none(ak.max(JETS.eta[JETS.btag > 3], -1), 5.5),
        ),
        ("leading(jets.btag, default=0)", "none", ak.fill_none(ak.firsts(IN_PT.btag), 0)),
        (
            "leading(jets.eta, 2, default=7)",
            "none",
            ak.fill_none(ak.pad_none(IN_PT.eta, 2)[:, 1], 7),
        ),
        (
            "leading(jets.eta, where=jets.btag >= 4, default=7)",
            "none",
            ak.fill_none(ak.firsts(IN_PT[IN_PT.btag >= 4].eta), 7),
        ),
        ("max(abs(delta_phi(jets.phi, met.phi)), default=0)", "rad", None),
        ("met.pt ** 2", "GeV^2", MET_PT**2),
        ("met.pt / sqrt(sum(jets.pt) + 1)", "GeV^0.5", MET_PT / np.sqrt(ak.sum(JET_PT, -1) + 1)),
        ("sqrt(met.pt * met.pt + 3 ** 2)", "GeV", np.sqrt(MET_PT**2 + 9)),
        ("-n_jets ** 2 + 2 * n_jets - 7 // 2", "none", -(EVENTS.n_jets**2) + 2 * EVENTS.n_jets - 3),
        ("n_jets % 2 == 0", "none", EVENTS.n_jets % 2 == 0),
        ("2 ** -n_jets", "none", 2.0 ** -np.asarray(EVENTS.n_jets, np.float64)),
        ("(trigE | trigM) & (n_jets >= 2)", "none", None),
        ("trigE or trigM and not n_jets >= 2", "none", None),
        ("~trigE & ~trigM", "none", (EVENTS.trigE == 0) & ~EVENTS.trigM),
        ("(n_jets > 1) + (met.pt > 50)", "none", (EVENTS.n_jets > 1) * 1 + (MET.pt > 50)),
        ("run == 9223372036854775807", "none", np.zeros(N_EVENTS, bool)),
        ("count(bit(jets.btag, 1))", "none", ak.sum(BTAG & 2 != 0, -1)),
        ("count(bit(jets.btag, 0) & ~bit(jets.btag, 2))", "none", ak.sum(BTAG & 5 == 1, -1)),
        ("bit(run, 63) & bit(run, 5)", "none", np.arange(N_EVENTS) & 32 != 0),
        ("where(trigM, n_jets > 2, met.pt > 50)", "none", None),
        ("count(jets) >= 2 and leading(jets.pt, 2) > 30", "none", None),
        ("leading(jets.pt, 2) <= 30 or count(jets) < 2", "none", None),
        ("where(count(jets) > 0, max(jets.pt), -1)", "GeV", ak.fill_none(ak.max(JET_PT, -1), -1)),
        ("where(met.pt > 50, 1, 2) * met.pt", "GeV", np.where(MET.pt > 50, 1, 2) * MET_PT),
        ("minimum(met.pt, 100) + hypot(met.pt, 0)", "GeV", np.minimum(MET_PT, 100) + MET_PT),
        ("cos(met.phi) + exp(-n_jets) + log(met.pt)", "none", None),
        ("atan2(met.pt, met.pt + 1)", "rad", np.arctan2(MET_PT, MET_PT + 1)),
        (
            "min(delta_r(jets.eta, jets.phi, max(leptons.eta, default=0), met.phi), default=9)",
            "none",
            None,
        ),
    ],
)
def test_is_what_awkward_makes_of_it(text: str, unit: str, expected: Any) -> None:
    number = np.asarray(EVENTS.n_jets, np.float64)
    electron, muon = np.asarray(EVENTS.trigE) == 1, np.asarray(EVENTS.trigM)
    second = ak.fill_none(ak.pad_none(IN_PT.pt, 2)[:, 1], -1)
    eta = ak.fill_none(ak.max(_wide("leptons.eta"), -1), 0)
    elsewhere = {
        "max(abs": ak.fill_none(ak.max(abs(DELTA_PHI), -1), 0),
        "(trigE": (electron | muon) & (number >= 2),
        "trigE or": electron | (muon & ~(number >= 2)),
        "where(trigM": np.where(muon, number > 2, MET.pt > 50),
        "count(jets) >=": (ak.num(JETS) >= 2) & (second > 30),
        "leading(jets.pt, 2) <=": (ak.num(JETS) < 2) | (second <= 30),
        "cos(": np.cos(_wide("met.phi")) + np.exp(-number) + np.log(MET_PT),
        "min(delta_r": ak.fill_none(ak.min(np.hypot(_wide("jets.eta") - eta, DELTA_PHI), -1), 9),
    }
    if expected is None:
        (expected,) = (one for start, one in elsewhere.items() if text.startswith(start))
    expression = parse(text, NAMES, "event.x")
    assert (expression.unit, expression.collection) == (unit, None)
    for lookup in (_lookup(), _lookup(shuffle=True)):
        values = expression.evaluate(lookup)
        assert values.dtype == (bool if expression.is_condition else np.float64)
        np.testing.assert_allclose(values, ak.to_numpy(expected), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("jets.pt / sum(jets.pt)", "none", JET_PT / ak.sum(JET_PT, -1)),
        ("delta_phi(jets.phi, met.phi)", "rad", DELTA_PHI),
        ("jets.pt * cosh(jets.eta)", "GeV", JET_PT * np.cosh(_wide("jets.eta"))),
        ("(jets.btag >= 4) & trigM", "none", (JETS.btag >= 4) & EVENTS.trigM),
        ("where(jets.pt > 1000, jets.pt / 0, 1)", "GeV", ak.ones_like(JET_PT)),
    ],
)
def test_features_of_objects_have_one_value_for_each(text: str, unit: str, expected: Any) -> None:
    expression = parse(text, NAMES, "jets.x")
    assert (expression.unit, expression.collection) == (unit, "jets")
    values = expression.evaluate(_lookup())
    np.testing.assert_allclose(values, np.asarray(ak.flatten(expected)), rtol=1e-12, atol=1e-12)


def _plain_python(text: str) -> list[Any]:
    columns = {name: np.asarray(EVENTS[name], int).tolist() for name in ("n_jets", "trigE")}
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return [eval(text, {}, row) for row in rows]  # noqa: S307


@pytest.mark.parametrize(
    "text",
    [
        "1 + n_jets * 2 ** n_jets - -n_jets",
        "-2 ** 2 + n_jets",
        "2 ** -trigE ** 2 / 4 * (n_jets + 1)",
        "7 - n_jets - 2 - 3 % (n_jets + 1)",
        "1 < n_jets < 4 or n_jets == 0 and not trigE == 1",
        "not n_jets == 1 == trigE",
        "(n_jets > 1) | (n_jets < 1) & (trigE > 0)",
    ],
)
def test_precedence_is_that_of_python(text: str) -> None:
    values = parse(text, NAMES, "x").evaluate(_lookup())
    np.testing.assert_allclose(values, _plain_python(text), rtol=1e-12)


ESCAPES = [
    "__import__('os').system('true')",
    "jets.pt.__class__",
    "jets.__class__",
    ".".join("abcdefgh" * 60),
    "(lambda: 1)()",
    "[x for x in jets.pt]",
    "jets.pt[0]",
    "met.pt if trigE else 0",
    "'a' < met.pt",
    "(y := met.pt)",
    "f'{met.pt}'",
    "met.pt @ met.pt",
    "sum(*jets.pt)",
    "sum(**jets.pt)",
    "sum(jets.pt)(1)",
    "eval(met.pt)",
    "met.pt in (1, 2)",
    "met.pt is n_jets",
    "await met.pt",
    "met.pt; n_jets",
    "import os",
    "True",
    "1j * met.pt",
    "1e999 < met.pt",
    "9" * 400 + " < met.pt",
    "met.pt # > 3",
    "met.pt\x00",
    "",
    "...",
    "1 + 1",
    "9 ** 9 ** 9 ** 9 * met.pt",
    "1 // 0 * met.pt",
    "(" * 400 + "met.pt" + ")" * 400,
    "-" * 900 + "met.pt",
    "met.pt" + " + met.pt" * 99,
    "met.pt + " * 1000 + "met.pt",
    "abs(" * 150 + "met.pt" + ")" * 150,
    "met.pt < ́",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_what_is_not_listed_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text, NAMES, "data.cuts.x")
    message = str(error.value)
    assert message.startswith("data.cuts.x: ")
    assert "\n" not in message
    assert len(message) < 450


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sum(jets.ptt)",
            "there is no 'jets.ptt' (did you mean jets.pt, jets.phi, jets.eta?), at column 5",
        ),
        ("sum(jet.pt) > 3", "there is no 'jet.pt' (did you mean jets.pt"),
        ("smu(jets.pt)", "there is no function 'smu': sum, at column 1"),
        (
            "met.pt + met.phi",
            "units in 'met.pt + met.phi' do not go together: GeV and rad, at column 1",
        ),
        ("1 + (met.pt > met.phi)", "GeV and rad, at column 6"),
        ("exp(met.pt)", "'exp(met.pt)' do not go together: GeV, not none"),
        ("where(trigE, met.pt, n_jets)", "GeV and none"),
        ("met.pt ** n_jets", "GeV, not none"),
        ("sum(jets.pt * leptons.pt)", "'jets.pt * leptons.pt' mixes jets with leptons"),
        ("sum(met.pt)", "'met.pt' has no list for each event, of which sum is made, at column 5"),
        ("max(met.pt, 3)", "max takes 1 argument, not 2, maximum(a, b) two"),
        ("n_jets > 1 & trigE > 0", "'1' is a number, not a condition (& and | bind more tightly"),
        ("trigE & 2", "of 2^n is bit(mask, n))"),
        ("bit(n_jets)", "bit takes 2 arguments, not 1"),
        ("bit(met.pt, 1)", "'met.pt' is no mask of bits, a plain integer"),
        ("bit(n_jets, 64)", "a bit is 0, 1, ... 63, not '64'"),
        ("bit(n_jets, n_jets)", "a bit is 0, 1, ... 63, not 'n_jets'"),
        ("met.pt | trigE", "'met.pt' is in GeV, not a condition"),
        ("trigE && trigM", "(write '&' for '&&'), at column 8"),
        ("met.pt ^ 2", "a power is **"),
        ("jets > 3", "'jets' is a collection: name a feature of it, or count(jets)"),
        ("leading(taus.eta)", "there is no taus.pt"),
        ("leading(jets.eta, 0)", "the place of leading is 1, 2, ..., not '0', at column 19"),
        ("max(jets.eta, default=met.pt)", "default= is a literal, not 'met.pt'"),
        ("sum(jets.eta, default=1)", "sum takes where= by name, not 'default'"),
        ("abs(jets.eta, key=1)", "abs takes nothing by name, not 'key'"),
        ("1 < 2 or trigE", "'1 < 2' compares literals"),
    ],
)
def test_says_what_is_wrong_and_where(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text, NAMES, "features.x")
    assert str(error.value).startswith("features.x: ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "event", "message"),
    [
        (
            "max(jets.pt) > 3",
            "empty",
            "'max(jets.pt)' has no value, of no jets: say its default=, or",
        ),
        ("1 + leading(jets.eta)", "empty", "fewer than 1 of the jets"),
        ("2 * (1 / (n_jets - 2)) < 5", "two", "'1 / (n_jets - 2)' is not a finite number"),
        ("sum(1 / (jets.btag - 3))", "tagged", "'1 / (jets.btag - 3)' is not a finite number"),
        (
            "bit(n_jets + 0.5, 1)",
            "first",
            "'bit(n_jets + 0.5, 1)' has no value: a mask is an integer",
        ),
        ("bit(n_jets - 5, 1)", "first", "'bit(n_jets - 5, 1)' has no value: a mask is an integer"),
        ("n_jets & trigE", "other", "neither 0 nor 1, and stands as a condition"),
    ],
)
def test_names_the_event_without_a_value(text: str, event: str, message: str) -> None:
    number = {
        "first": 0,
        "empty": int(np.argmax(ak.num(JETS) == 0)),
        "two": int(np.argmax(EVENTS.n_jets == 2)),
        "tagged": int(np.argmax(ak.any(JETS.btag == 3, -1))),
        "other": int(np.argmax(EVENTS.n_jets > 1)),
    }[event]
    with pytest.raises(InputError) as error:
        parse(text, NAMES, "event.x").evaluate(_lookup(shuffle=True))
    assert str(error.value).startswith(f"event {number}: event.x: ")
    assert message in str(error.value)


def test_expressions_need_each_other_in_any_order() -> None:
    texts = {
        "share": "max(jets.fraction, default=0)",
        "jets.fraction": "jets.pt / ht",
        "significance": "met.pt / sqrt(ht + 1)",
        "hard": "ht > 100",
        "twice": "significance * sqrt(ht) / 1",
        "ht": "sum(jets.pt)",
    }
    parsed = parse_features(texts, NAMES, "features")
    done: dict[str, Any] = {}
    lookup = _lookup()
    known = lookup._replace(values=lambda name: done[name] if name in done else lookup.values(name))
    for name, expression in parsed.items():
        done[name] = expression.evaluate(known)
    np.testing.assert_allclose(
        done["share"], ak.fill_none(ak.max(JET_PT / ak.sum(JET_PT, -1), -1), 0), rtol=1e-12
    )
    assert {name: one.unit for name, one in parsed.items()} == {
        "ht": "GeV",
        "jets.fraction": "none",
        "share": "none",
        "significance": "GeV^0.5",
        "hard": "none",
        "twice": "GeV",
    }
    assert parsed["jets.fraction"].names == ("jets.pt", "ht")
    assert parsed["share"].collections == ("jets",)
    cut = parse_cut("hard", {**NAMES, "hard": Quantity("none")}, "cuts.hard")
    np.testing.assert_array_equal(cut.evaluate(known), done["hard"])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"a": "b + 1", "b": "c", "c": "a"}, "in a circle"),
        ({"a": "a + 1"}, "features: a needs a: no value can be found in a circle"),
        ({"n_jets": "met.pt"}, "features.n_jets: there is a feature of that name"),
        ({"x": "jets.pt"}, "gives one value for each of the jets, where one value for each event"),
        ({"jets.x": "leptons.pt"}, "each of the leptons, where one value for each of the jets"),
        ({"x": "y +"}, "features.x: invalid syntax, at column"),
    ],
)
def test_features_that_cannot_be_made_are_refused(texts: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_features(texts, NAMES, "features")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jets.pt > 30", "something of each of the jets, not of the event: put any(...)"),
        ("n_jets + 1", "'n_jets + 1' is a number, not a condition"),
        ("met.pt", "'met.pt' is in GeV, not a condition"),
    ],
)
def test_a_cut_is_a_condition_of_the_event(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_cut(text, NAMES, "data.cuts.x")
    assert message in str(error.value)
    cut: Expression = parse_cut("trigE", NAMES, "data.cuts.x")
    np.testing.assert_array_equal(cut.evaluate(_lookup()), np.asarray(EVENTS.trigE) == 1)


@pytest.mark.parametrize(
    "text", ["sum(jets.pt)", "any(jets.pt > 3)", "leading(jets.pt)", "max(jets.eta)", "count(jets)"]
)
def test_no_events_have_no_values(text: str) -> None:
    nothing = np.zeros(0, np.int64)
    lookup = Lookup(lambda _: np.zeros(0, np.float32), {"jets": nothing}, 0, _wrong_at)
    assert parse(text, NAMES, "x").evaluate(lookup).shape == (0,)
