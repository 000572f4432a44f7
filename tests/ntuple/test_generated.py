"""What top quarks decay to, found in decay chains that are written by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import pytest
import vector

from ntuples import write_ntuple
from rootflow.errors import InputError, UsageError
from rootflow.ntuple import Chunk, load_branch_map, read_chunks
from rootflow.simulation.dilepton import match_jets

# Bits of statusFlags: isPrompt, isHardProcess, fromHardProcess, isFirstCopy, isLastCopy.
PROMPT, HARD, FROM_HARD, FIRST, LAST = 1, 1 << 7, 1 << 8, 1 << 12, 1 << 13
OF_DECAY = PROMPT | HARD | FROM_HARD | FIRST
COPY = PROMPT | FROM_HARD
MAP: dict[str, Any] = {
    "tree": "Events",
    "event_number": "event",
    "jets": {
        "pt": {"branch": "Jet_pt", "unit": "GeV"},
        "eta": "Jet_eta",
        "phi": "Jet_phi",
        "mass": {"branch": "Jet_mass", "unit": "GeV"},
        "where": "Jet_good",
    },
    "truth": load_branch_map("nanoaod_v9").truth.model_dump(mode="json", exclude_none=True),
}


class Particle(NamedTuple):
    """A generated particle: its number, the place of its mother, its flags."""

    pdg_id: int
    mother: int
    flags: int


# The t radiates a gluon, and its positron a photon; the tbar has a tau that decays to a muon.
DILEPTONIC = [
    Particle(21, -1, HARD),
    Particle(6, 0, OF_DECAY),
    Particle(-6, 0, OF_DECAY | LAST),
    Particle(6, 1, COPY | LAST),
    Particle(21, 1, PROMPT),
    Particle(5, 3, PROMPT | LAST),  # of a gluon of the shower, which is not kept
    Particle(11, 3, FIRST | LAST),  # of a hadron, which is not kept
    Particle(24, 3, OF_DECAY),
    Particle(5, 3, OF_DECAY),
    Particle(-24, 2, OF_DECAY | LAST),
    Particle(-5, 2, OF_DECAY | LAST),
    Particle(24, 7, COPY | LAST),
    Particle(5, 8, COPY | LAST),
    Particle(12, 11, OF_DECAY | LAST),
    Particle(-11, 11, OF_DECAY),
    Particle(-11, 14, COPY | LAST),
    Particle(15, 9, OF_DECAY),
    Particle(-16, 9, OF_DECAY | LAST),
    Particle(15, 16, COPY | LAST),
    Particle(16, 18, FIRST | LAST),
    Particle(13, 18, FIRST | LAST),
    Particle(-14, 18, FIRST | LAST),
    Particle(-13, 12, FIRST | LAST),  # of a hadron of the b
    Particle(14, 12, FIRST | LAST),
]
# Top, antitop; their quarks, leptons and neutrinos.
FOUND = {"tops": [3, 2], "quarks": [8, 10], "leptons": [14, 16], "neutrinos": [13, 17]}
# The W- decays to quarks, of which one is down-type.
SEMILEPTONIC = [
    *DILEPTONIC[:16],
    Particle(1, 9, OF_DECAY | LAST),
    Particle(-2, 9, OF_DECAY | LAST),
]
# A t that decays to a strange quark, and a tbar whose W is not recorded.
UNUSUAL = [
    Particle(6, -1, OF_DECAY | LAST),
    Particle(-6, -1, OF_DECAY | LAST),
    Particle(3, 0, OF_DECAY | LAST),
    Particle(24, 0, OF_DECAY | LAST),
    Particle(-13, 3, OF_DECAY | LAST),
    Particle(14, 3, OF_DECAY | LAST),
    Particle(-5, 1, OF_DECAY | LAST),
    Particle(11, 1, OF_DECAY | LAST),
    Particle(-12, 1, OF_DECAY | LAST),
]
DRELL_YAN = [
    Particle(1, -1, HARD),
    Particle(23, 0, OF_DECAY | LAST),
    Particle(11, 1, OF_DECAY | LAST),
    Particle(-11, 1, OF_DECAY | LAST),
]
NO_JETS: list[list[float]] = []


def _momenta(events: Sequence[Sequence[Particle]]) -> dict[str, Any]:
    """Return momenta that tell all particles apart; masses of tops and W bosons alone."""
    counts = [len(event) for event in events]
    pdg_id = np.abs([each.pdg_id for event in events for each in event])
    number = np.arange(len(pdg_id))
    flat = {
        "pt": 20.0 + number % 97,
        "eta": np.linspace(-2, 2, len(number)),
        "phi": np.linspace(-3, 3, len(number)),
        "mass": np.select([pdg_id == 6, pdg_id == 24], [172.0 + number / 100, 80.0], 0.0),
    }
    return {name: ak.unflatten(values.astype(np.float32), counts) for name, values in flat.items()}


def _write(
    path: Path,
    events: Sequence[Sequence[Particle]],
    jets: Sequence[Sequence[Sequence[float]]] | None = None,
    **more: Any,
) -> Path:
    """Write events with jets of eta and phi, and whether each counts (1: it does)."""
    eta, phi, good = (
        [[[*jet, 1][place] for jet in event] for event in jets or [NO_JETS] * len(events)]
        for place in range(3)
    )
    eta, phi, good = (ak.values_astype(ak.Array(each), np.float32) for each in (eta, phi, good))
    particles = {
        name: ak.values_astype(
            ak.Array([[getattr(each, field) for each in event] for event in events]), kind
        )
        for name, field, kind in (
            ("GenPart_pdgId", "pdg_id", np.int32),
            ("GenPart_genPartIdxMother", "mother", np.int16),
            ("GenPart_statusFlags", "flags", np.uint16),
        )
    }
    branches = {
        "event": np.arange(len(events), dtype=np.uint64),
        "Jet_pt": 50 + 0 * eta,
        "Jet_eta": eta,
        "Jet_phi": phi,
        "Jet_mass": 5 + 0 * eta,
        "Jet_good": ak.values_astype(good, np.uint8),
        **particles,
        **{f"GenPart_{name}": values for name, values in _momenta(events).items()},
    }
    return write_ntuple(path, branches | more, tree="Events")


def _chunk(path: Path, **matching: Any) -> Chunk:
    truth = MAP["truth"] | ({"matching": matching} if matching else {})
    (chunk,) = read_chunks(path, load_branch_map({**MAP, "truth": truth}))
    return chunk


def _of(
    events: Sequence[Sequence[Particle]], event: int, places: Sequence[int], energy: bool = False
) -> list[list[float]]:
    """Return px, py, pz (and E) of the particles of an event at these places."""
    columns = {name: np.asarray(each[event])[places] for name, each in _momenta(events).items()}
    vectors = vector.array({name: values.astype(np.float64) for name, values in columns.items()})
    return np.stack(
        [getattr(vectors, name) for name in ("px", "py", "pz", *(["E"] if energy else []))], -1
    )


def test_the_particles_of_both_decays_are_found(tmp_path: Path) -> None:
    events = [DRELL_YAN, DILEPTONIC, [], DILEPTONIC]
    truth = _chunk(_write(tmp_path / "a.root", events)).beside
    assert truth["dileptonic"].tolist() == [False, True, False, True]
    for event in (1, 3):
        for name, key in (("neutrinos", "neutrinos"), ("true_leptons", "leptons")):
            expected = _of(events, event, FOUND[key])
            np.testing.assert_allclose(truth[name][event], expected, rtol=1e-5, err_msg=name)
        tops = _of(events, event, FOUND["tops"], energy=True)
        np.testing.assert_allclose(truth["tops"][event], tops, rtol=1e-5)
    for event in (0, 2):
        for name in ("neutrinos", "true_leptons", "tops"):
            assert not truth[name][event].any()


def test_a_w_that_decays_to_quarks_leaves_no_neutrino(tmp_path: Path) -> None:
    jets = [[[float(each), float(other)] for each, other in _directions([SEMILEPTONIC], 0)]]
    truth = _chunk(_write(tmp_path / "a.root", [SEMILEPTONIC], jets), radius=0.01).beside
    assert truth["dileptonic"].tolist() == [False]
    neutrino = _of([SEMILEPTONIC], 0, [13])
    np.testing.assert_allclose(truth["neutrinos"][0], [*neutrino, [0, 0, 0]], rtol=1e-5)
    lepton = _of([SEMILEPTONIC], 0, [14])
    np.testing.assert_allclose(truth["true_leptons"][0], [*lepton, [0, 0, 0]], rtol=1e-5)
    # The quarks of the tops, not that of the W.
    assert truth["jet_index"].tolist() == [[8, 10]]


def _directions(events: Sequence[Sequence[Particle]], event: int) -> Any:
    momenta = _momenta(events)
    return zip(momenta["eta"][event].tolist(), momenta["phi"][event].tolist(), strict=True)


def test_strange_quarks_and_decays_without_a_w_are_found(tmp_path: Path) -> None:
    jets = [list(map(list, _directions([UNUSUAL], 0)))]
    truth = _chunk(_write(tmp_path / "a.root", [UNUSUAL], jets), radius=0.01).beside
    assert truth["dileptonic"].tolist() == [True]
    assert truth["jet_index"].tolist() == [[2, 6]]
    np.testing.assert_allclose(truth["true_leptons"][0], _of([UNUSUAL], 0, [4, 7]), rtol=1e-5)
    np.testing.assert_allclose(truth["neutrinos"][0], _of([UNUSUAL], 0, [5, 8]), rtol=1e-5)


def test_masses_of_others_than_tops_are_not_looked_at(tmp_path: Path) -> None:
    events = [DILEPTONIC] * 200
    masses = _momenta(events)["mass"]
    is_top = ak.Array([[abs(each.pdg_id) == 6 for each in event] for event in events])
    others = {"GenPart_mass": ak.values_astype(ak.where(is_top, masses, np.inf), np.float32)}
    with_others = _chunk(_write(tmp_path / "a.root", events, **others)).beside
    without = _chunk(_write(tmp_path / "b.root", events)).beside
    for name, array in without.items():
        np.testing.assert_array_equal(array, with_others[name], err_msg=name)


RULES = {
    # Eta of the jets, of the b (phi as theirs) and the bbar, and the jets of each rule.
    "each its own": ([1.3, 1.1, -1.05], (1.0, -1.0), {}, [1, 2]),
    "too far": ([1.45, -1.3], (1.0, -1.0), {}, [-1, 1]),
    "shared, none other": ([0.0, 2.0], (0.2, -0.1), {}, [-1, 0]),
    "shared, another": ([0.0, 0.5], (0.2, -0.1), {"nearer": [-1, 0], "neither": [-1, -1]}, [1, 0]),
    "no jet": ([], (0.2, -0.1), {}, [-1, -1]),
}


@pytest.mark.parametrize("rule", ["nearer", "next", "neither"])
@pytest.mark.parametrize("case", RULES)
def test_jets_are_matched_by_the_rule(tmp_path: Path, rule: str, case: str) -> None:
    jets, (b, bbar), others, expected = RULES[case]
    if case == "shared, none other" and rule == "neither":
        expected = [-1, -1]
    expected = others.get(rule, expected)
    found = _matched(tmp_path, [jets], [b, bbar], radius=0.4, ambiguity=rule)
    assert found.tolist() == [expected]


def _matched(
    tmp_path: Path, jets: Sequence[Sequence[float]], quarks: Sequence[float], **matching: Any
) -> Any:
    """Return the jets of two quarks in an event of only these, all of phi 3.1 or -3.1."""
    events = [UNUSUAL] * len(jets)
    eta, phi = (np.zeros((len(jets), len(UNUSUAL)), np.float32) for _ in range(2))
    eta[:, [2, 6]] = quarks
    phi[:] = 3.1
    around = [[[each, -3.1] for each in event] for event in jets]
    more = {"GenPart_eta": ak.from_regular(ak.Array(eta)), "GenPart_phi": _jagged(phi)}
    path = _write(tmp_path / "a.root", events, around, **more)
    return _chunk(path, **matching).beside["jet_index"]


def _jagged(array: Any) -> Any:
    return ak.from_regular(ak.Array(array))


@pytest.mark.parametrize("rule", ["nearer", "next", "neither"])
def test_many_events_are_matched_as_one_by_one(tmp_path: Path, rule: str) -> None:
    random = np.random.default_rng(3)
    counts = random.integers(0, 6, 400)
    jets = [random.uniform(-1, 1, (count, 2)).tolist() for count in counts]
    good = [[[*jet, float(random.random() < 0.8)] for jet in event] for event in jets]
    quarks = random.uniform(-1, 1, (400, 2, 2)).astype(np.float32)
    eta, phi = (np.zeros((400, len(UNUSUAL)), np.float32) for _ in range(2))
    eta[:, [2, 6]], phi[:, [2, 6]] = quarks[..., 0], quarks[..., 1]
    more = {"GenPart_eta": _jagged(eta), "GenPart_phi": _jagged(phi)}
    path = _write(tmp_path / "a.root", [UNUSUAL] * 400, good, **more)
    found = _chunk(path, radius=0.5, ambiguity=rule).beside["jet_index"]
    expected = [_one(event, pair, rule) for event, pair in zip(good, quarks, strict=True)]
    assert found.tolist() == expected
    assert len({tuple(np.asarray(each) >= 0) for each in expected}) == 4


def _one(jets: Sequence[Sequence[float]], quarks: Any, rule: str) -> list[int]:
    """Return the jets of b and bbar by the pairs of least distance, one after another."""
    pairs = sorted(
        (np.hypot(eta - quark[0], phi - quark[1]), jet, side)
        for jet, (eta, phi, counts) in enumerate(jets)
        for side, quark in enumerate(quarks)
        if counts
    )
    pairs = [pair for pair in pairs if pair[0] < 0.5]
    nearest = [next((jet for _, jet, of in pairs if of == side), -1) for side in (0, 1)]
    if nearest[0] != nearest[1] or nearest[0] == -1:
        return nearest
    if rule == "neither":
        return [-1, -1]
    _, jet, winner = pairs[0]
    found = [-1, -1]
    found[winner] = jet
    if rule == "next":
        left = [(each, of) for _, each, of in pairs if each != jet and of != winner]
        found[1 - winner] = left[0][0] if left else -1
    return found


def test_the_nearer_quark_has_the_jet_as_in_what_simulate_writes(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    eta = random.uniform(-1, 1, (300, 4)).astype(np.float32)
    quarks = random.uniform(-1, 1, (300, 2)).astype(np.float32)
    gen = np.zeros((300, len(UNUSUAL)), np.float32)
    gen[:, [2, 6]] = quarks
    around = [[[each, 0.0] for each in event] for event in eta.tolist()]
    more = {"GenPart_eta": _jagged(gen), "GenPart_phi": _jagged(0 * gen)}
    path = _write(tmp_path / "a.root", [UNUSUAL] * 300, around, **more)
    found = _chunk(path, radius=0.4, ambiguity="nearer").beside["jet_index"]
    columns = {"pt": 50 + 0 * eta, "eta": eta, "phi": 0 * eta, "mass": 0 * eta}
    jets = ak.zip({name: _jagged(each) for name, each in columns.items()}, with_name="Momentum4D")
    both = vector.array({"pt": quarks**0, "eta": quarks, "phi": 0 * quarks, "mass": 0 * quarks})
    np.testing.assert_array_equal(found, match_jets(jets, both, 0.4))


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        (
            [*DILEPTONIC, Particle(5, len(DILEPTONIC) + 1, OF_DECAY)],
            r"'GenPart_genPartIdxMother' is 25, which is no place among the event's 25 particles",
        ),
        ([Particle(6, -2, OF_DECAY)], r"'GenPart_genPartIdxMother' is -2, which is no place"),
        (
            [*DILEPTONIC, Particle(6, 0, COPY | LAST)],
            r"'GenPart_pdgId' is 6 of 2 particles that are last copies",
        ),
        (
            [*DILEPTONIC, Particle(-6, 0, COPY | LAST), Particle(-6, 0, COPY | LAST)],
            r"'GenPart_pdgId' is -6 of 3 particles that are last copies",
        ),
        (
            [Particle(24, 1, COPY), Particle(24, 0, COPY), Particle(12, 0, OF_DECAY)],
            r"'GenPart_genPartIdxMother' has W bosons that are their own ancestors",
        ),
    ],
)
def test_what_is_no_decay_of_a_pair_is_named(
    tmp_path: Path, chain: list[Particle], message: str
) -> None:
    path = _write(tmp_path / "a.root", [DILEPTONIC, chain])
    with pytest.raises(InputError, match=message) as error:
        _chunk(path)
    assert str(error.value).startswith(f"{path}, event 1: ")
    assert str(error.value).endswith("(entry 1)")


def test_numbers_of_particles_are_integers(tmp_path: Path) -> None:
    more = {"GenPart_pdgId": ak.Array([[each.pdg_id + 0.5 for each in UNUSUAL]])}
    with pytest.raises(InputError, match=r"'GenPart_pdgId' does not hold integers"):
        _chunk(_write(tmp_path / "a.root", [UNUSUAL], **more))


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (
            {**MAP["truth"], "assignment": {"b": "b", "bbar": "bbar"}},
            r"truth: .*particles say of assignment, neutrinos, leptons and tops: give either",
        ),
        ({"matching": {"radius": 0.4}}, r"truth: .*matching is of jets with quarks among"),
        (
            {**MAP["truth"], "matching": {"ambiguity": "both"}},
            r"truth\.matching\.ambiguity: .*'nearer', 'next' or 'neither'",
        ),
        ({**MAP["truth"], "matching": {"radius": 0}}, r"truth\.matching\.radius"),
    ],
)
def test_truth_is_said_once(truth: Mapping[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_branch_map({**MAP, "truth": truth})


def test_matching_is_of_jets_that_are_read_from_one_block() -> None:
    for jets in ([], [MAP["jets"], MAP["jets"]]):
        with pytest.raises(UsageError, match=r"truth\.matching: of the jets of one block"):
            load_branch_map({**MAP, "jets": jets})
