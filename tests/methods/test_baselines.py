import itertools
import math
from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from ntuples import read_branches
from rootflow.dataset import Events
from rootflow.errors import InputError, UsageError
from rootflow.methods.conformance import check_answers, check_method
from rootflow.methods.make import make_method
from rootflow.methods.reconstruction.pairing import best_tagged_pair
from toy_events import FEATURES, toy_events

# For the 13,874 matched events of the shipped sample; the statistical errors are 0.004, 0.004 and
# 0.003. An independent simulation of 35,009 had 0.652, 0.726 and 0.892.
ACCURACY = {"delta_r": 0.6420, "m_lb": 0.7229, "best tagged pair": 0.8946}
COUNTED = 1000


def accuracy(name: str, events: Events, seed: int = 1) -> float:
    assignment = make_method(name, seed).answer(events).assignment
    return float(np.mean(np.all(assignment == events.assignment, axis=1)))


@pytest.mark.parametrize("name", ["delta_r", "m_lb"])
def test_accuracy_is_that_of_the_sample(real_events: Events, name: str) -> None:
    events = real_events.take(real_events.matched)
    assert accuracy(name, events) == pytest.approx(ACCURACY[name], abs=0.0002)


def test_best_tagged_pair_is_right_as_often_as_in_the_sample(real_events: Events) -> None:
    events = real_events.take(real_events.matched)
    pair = np.sort(best_tagged_pair(events), axis=1)
    right = np.all(pair == np.sort(events.assignment, axis=1), axis=1)
    assert np.mean(right) == pytest.approx(ACCURACY["best tagged pair"], abs=0.0002)


def distance(one: dict[str, float], other: dict[str, float]) -> float:
    phi = abs(one["phi"] - other["phi"]) % (2 * math.pi)
    return math.hypot(one["eta"] - other["eta"], min(phi, 2 * math.pi - phi))


def mass(one: dict[str, float], other: dict[str, float]) -> float:
    total = np.zeros(4)
    for each in (one, other):
        pt, eta, phi = each["pt"], each["eta"], each["phi"]
        direction = (math.cos(phi), math.sin(phi), math.sinh(eta))
        total += [each["e"], *(pt * part for part in direction)]
    return float(np.sqrt(total[0] ** 2 - np.sum(total[1:] ** 2)))


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("delta_r", lambda b, bbar, plus, minus: distance(b, plus) + distance(bbar, minus)),
        ("m_lb", lambda b, bbar, plus, minus: max(mass(b, plus), mass(bbar, minus))),
    ],
)
def test_pairs_are_those_of_a_count_in_plain_python(
    real_events: Events, ttbar_files: list[Path], name: str, cost: Callable[..., float]
) -> None:
    found = make_method(name, 1).answer(real_events.take(slice(0, COUNTED))).assignment
    branches = read_branches(ttbar_files[0], COUNTED)
    columns = {
        name.removesuffix("_NOSYS"): ak.to_list(array)
        for name, array in branches.items()
        if name.startswith(("jet_", "el_", "mu_"))
    }
    for event, chosen in enumerate(found.tolist()):
        jets, leptons = (
            [
                dict(zip(("pt", "eta", "phi", "e", what), values, strict=True))
                for kind in kinds
                for values in zip(
                    *(columns[f"{kind}_{part}"][event] for part in ("pt", "eta", "phi", "e", what)),
                    strict=True,
                )
            ]
            for kinds, what in ((("jet",), "GN2v01_Continuous_quantile"), (("el", "mu"), "charge"))
        )
        plus, minus = sorted(leptons, key=lambda lepton: -lepton["charge"])
        in_pt = sorted(jets, key=lambda jet: -jet["pt"])[:8]
        one, two = sorted(in_pt, key=lambda jet: -jet["GN2v01_Continuous_quantile"])[:2]
        b, bbar = min(itertools.permutations((one, two)), key=lambda bs: cost(*bs, plus, minus))
        assert [in_pt.index(b), in_pt.index(bbar)] == chosen, event


@pytest.mark.parametrize("name", ["random", "delta_r", "m_lb", "truth"])
def test_baselines_keep_the_contract(real_events: Events, name: str) -> None:
    check_method(make_method(name, 1), real_events.take(slice(0, 2000)))


def test_truth_is_right(real_events: Events) -> None:
    answers = make_method("truth", 1).answer(real_events)
    np.testing.assert_array_equal(answers.solved, real_events.matched)
    np.testing.assert_array_equal(
        answers.assignment[answers.solved], real_events.assignment[answers.solved]
    )
    np.testing.assert_array_equal(
        answers.neutrinos[answers.solved], real_events.neutrinos[answers.solved]
    )


def test_random_is_right_by_chance() -> None:
    events = toy_events(40_000)
    events = events.take(events.matched)
    jets = events.jet_mask.sum(axis=1)
    chance = np.mean(1 / (jets * (jets - 1)))
    error = np.sqrt(chance * (1 - chance) / len(events))
    assert accuracy("random", events) == pytest.approx(chance, abs=4 * error)


def test_random_draws_every_ordered_pair_alike() -> None:
    events = toy_events(60_000, max_jets=4)
    four = events.take(events.jet_mask.all(axis=1))
    first, second = make_method("random", 1).answer(four).assignment.T
    counts = np.bincount(first * 4 + second, minlength=16).reshape(4, 4)
    assert np.all(np.diag(counts) == 0)
    drawn = counts[~np.eye(4, dtype=bool)]
    chi_square = np.sum((drawn - drawn.mean()) ** 2) / drawn.mean()
    assert chi_square < 31.3  # one in a thousand for 11 degrees of freedom


def test_random_depends_on_seed_and_file() -> None:
    events = toy_events(1000)
    of_another_file = Events(
        features=FEATURES, **(events.arrays() | {"file_index": events.file_index + 1})
    )
    drawn = make_method("random", 1).answer(events).assignment
    assert np.any(drawn != make_method("random", 2).answer(events).assignment)
    assert np.any(drawn != make_method("random", 1).answer(of_another_file).assignment)


def one_event(jets: list[list[float]], leptons: list[list[float]]) -> Events:
    """Return an event of these jets (pt, eta, phi, energy, btag) and leptons."""
    arrays = toy_events(1, max_jets=len(jets)).arrays()
    return Events(
        features=FEATURES,
        **arrays
        | {"jets": np.array([jets], np.float32), "leptons": np.array([leptons], np.float32)},
    )


def test_smallest_sum_is_taken_and_not_the_closest_pair() -> None:
    # dR: jet 0 to l+ 0.5 and to l- 1.0, jet 1 to l+ 0.6 and to l- 2.1. The closest pair,
    # jet 0 and l+, leaves 0.5 + 2.1; the other pairing has 1.0 + 0.6.
    event = one_event(
        jets=[[100, 0.0, 0, 100, 6], [90, 1.1, 0, 150.2, 6]],
        leptons=[[50, 0.5, 0, 56.4, -11], [50, -1.0, 0, 77.2, 13]],
    )
    answer = make_method("delta_r", 1).answer(event)
    assert answer.assignment.tolist() == [[1, 0]]
    assert answer.scores == pytest.approx([1.0])


def test_smaller_of_the_larger_masses_is_taken() -> None:
    # Massless, back to back is m^2 = 4 pT pT, collinear is 0.
    event = one_event(
        jets=[[100, 0, 0, 100, 6], [100, 0, np.pi, 100, 6]],
        leptons=[[50, 0, np.pi, 50, -11], [50, 0, 0, 50, 13]],
    )
    answer = make_method("m_lb", 1).answer(event)
    assert answer.assignment.tolist() == [[1, 0]]
    assert answer.scores == pytest.approx([np.sqrt(4 * 100 * 50)], rel=1e-3)


@pytest.mark.parametrize(
    ("tags", "pair"),
    [
        ([1, 6, 1, 4], [1, 3]),
        ([4, 4, 4, 6], [3, 0]),
        ([1, 1, 5, 1], [2, 0]),  # one is tagged: the hardest of the others joins it
        ([1, 1, 1, 1], [0, 1]),  # none is tagged: the two hardest
    ],
)
def test_best_tagged_pair(tags: list[float], pair: list[int]) -> None:
    jets = [[100 - 10 * slot, 0, 0, 100, tag] for slot, tag in enumerate(tags)]
    event = one_event(jets, leptons=[[50, 0, 0, 50, -11], [50, 0, 1, 50, 13]])
    assert best_tagged_pair(event).tolist() == [pair]


@pytest.mark.parametrize("name", ["random", "delta_r", "m_lb"])
def test_a_single_jet_is_not_solved(name: str) -> None:
    event = one_event(
        jets=[[100, 0, 0, 100, 6], [0, 0, 0, 0, 0]],
        leptons=[[50, 0, 0, 50, -11], [50, 0, 1, 50, 13]],
    )
    event = Events(features=FEATURES, **event.arrays() | {"jet_mask": np.array([[True, False]])})
    answer = make_method(name, 1).answer(event)
    check_answers(answer, event)
    assert not answer.solved


def test_truth_of_data_is_refused(real_events: Events) -> None:
    arrays = real_events.take(slice(0, 10)).arrays()
    for name in ("assignment", "neutrinos", "tops"):
        del arrays[name]
    with pytest.raises(InputError, match="truth needs simulated events"):
        make_method("truth", 1).answer(Events(features=FEATURES, **arrays))


def test_a_dataset_without_tags_is_refused() -> None:
    events = toy_events(10)
    features = {**FEATURES, "jets": ("pt", "eta", "phi", "energy", "mass")}
    with pytest.raises(InputError, match="needs the feature btag of jets, this dataset has pt, "):
        make_method("delta_r", 1).answer(Events(features=features, **events.arrays()))


def test_unknown_name() -> None:
    with pytest.raises(
        UsageError, match="no method guess; there are random, delta_r, m_lb, chi2, ellipse"
    ):
        make_method("guess", 1)
