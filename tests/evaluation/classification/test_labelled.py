from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from rootflow.dataset import Events
from rootflow.dataset.weights import effective_events
from rootflow.errors import InputError, UsageError
from rootflow.evaluation.classification import EventObservable
from rootflow.evaluation.classification.labelled import (
    Labelled,
    SumsBelow,
    SumsInBins,
    spectrum,
    yields,
)
from rootflow.evaluation.results import counts
from toy_classes import COUNTS, EXPECTED, M4L, SAMPLES, toy_classes
from toy_events import toy_events


def changed(name: str, place: int, value: float) -> Events:
    events = toy_classes(COUNTS)
    array = getattr(events, name).copy()
    array[place] = value
    return replace(events, **{name: array})


def test_effective_events() -> None:
    assert effective_events(np.full(7, 0.3)) == pytest.approx(7)
    assert effective_events(np.array([1.0, -1.0])) == effective_events(np.zeros(0)) == 0


def test_simulation_is_without_data() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L)
    simulation = labelled.simulation()
    assert len(simulation) == len(labelled) - COUNTS["data"]
    assert not np.any(simulation.data)
    np.testing.assert_array_equal(simulation.weight, labelled.weight[~labelled.data])
    assert {name: int(np.sum(among)) for name, among in simulation.simulated.items()} == {
        name: count for name, count in COUNTS.items() if name != "data"
    }
    assert list(simulation.of_kind("background")) == ["ZZ", "ttbar"]


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"ZZ": 100}, "^sample ggH: the weights of its 0 selected events sum to 0"),
        (
            {"ggH": 100, "VBFH": 100, "ZZ": 1, "ttbar": 1},
            "^2 events of background .* 25 are needed",
        ),
        ({"ggH": 1, "VBFH": 1, "ZZ": 50, "ttbar": 50}, "^2 events of signal .* 25 are needed"),
    ],
)
def test_too_few_events(counts: dict[str, int], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Labelled.of(toy_classes(counts), SAMPLES)


def test_a_class_that_is_missing() -> None:
    events = toy_classes({"ZZ": 100})
    events = replace(events, sample=np.zeros_like(events.sample))
    with pytest.raises(InputError, match="0 events of signal to evaluate on"):
        Labelled.of(events, SAMPLES[2:3])


def test_weights_that_cancel() -> None:
    events = toy_classes(COUNTS)
    weight = np.where(events.sample == 1, np.where(np.arange(len(events)) % 2, 1, -1), 1.0)
    with pytest.raises(InputError, match=r"^sample VBFH: the weights of its 500 selected events"):
        Labelled.of(replace(events, weight=weight.astype(float)), SAMPLES)


def test_numbers_that_are_not_finite() -> None:
    with pytest.raises(InputError, match=r"^weight of 1 of 5080 .* first is event \d+"):
        Labelled.of(changed("weight", 3, np.nan), SAMPLES)
    with pytest.raises(InputError, match=r"^m4l of 1 of 5080 "):
        Labelled.of(changed("event", 3, np.inf), SAMPLES, M4L)


def test_events_of_another_analysis() -> None:
    with pytest.raises(InputError, match="needs events with labels"):
        Labelled.of(toy_events(50), SAMPLES)


def test_events_without_mass() -> None:
    events = toy_classes(COUNTS)
    features = {**events.features, "event": ("jet_n", "mass", "x", "noise")}
    with pytest.raises(UsageError, match=r"'m4l' is no feature of the event: jet_n, mass"):
        Labelled.of(replace(events, features=features), SAMPLES, M4L)
    assert Labelled.of(replace(events, features=features), SAMPLES).values is None


def number_of_event(events: Events) -> np.ndarray:
    return events.event_number / 10


def test_an_observable_of_ones_own() -> None:
    events = toy_classes(COUNTS)
    mine = EventObservable(f"{__name__}:number_of_event", "mine", "")
    np.testing.assert_array_equal(mine.values(events), events.event_number / 10)
    assert mine.between((1, 2)) == "mine from 1 to 2"
    with pytest.raises(UsageError, match="gives an array of shape"):
        EventObservable("builtins:len", "all", "").values(events)
    with pytest.raises(UsageError, match="numpy:asarray fails: TypeError: float"):
        EventObservable("numpy:asarray", "all", "").values(events)


def test_an_observable_reads_as_its_title() -> None:
    assert M4L.between((105, 160)) == "m(4l) from 105 to 160 GeV"
    assert M4L.inequality((105, 160)) == r"$105 \leq m(4\ell) \leq 160$ GeV"
    assert EventObservable("n_b", "n_b", "").inequality((0, 1)) == (
        r"$0 \leq \mathrm{n\_b} \leq 1$"
    )


def test_a_signal_that_is_no_class() -> None:
    with pytest.raises(UsageError, match=r"evaluation.signal: 'Higgs' is none of background, "):
        Labelled.of(toy_classes(COUNTS), SAMPLES, signals=["Higgs"])


def test_a_process_with_a_negative_sum_in_the_window_is_refused() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L)
    inside = labelled.simulated["ttbar"] & (labelled.values >= 100) & (labelled.values < 150)
    labelled.weight[inside] *= -1
    with pytest.raises(InputError, match=r"sample ttbar: .* m\(4l\) from 100 to 150 GeV sum to -"):
        labelled.within((100, 150))


EDGES = [70.0, 110.0, 130.0, 250.0]


def test_intervals_are_garwoods() -> None:
    # Tabulated for 68.27 %: R. Cousins et al., Nucl. Instrum. Meth. A 595 (2008) 480; PDG.
    found = counts(np.repeat([0.5, 1.5], [1, 4]), [0.0, 1.0, 2.0, 3.0])
    assert found.counts == (1, 4, 0)
    np.testing.assert_allclose(found.lower, [0.173, 2.086, 0], atol=1e-3)
    np.testing.assert_allclose(found.upper, [3.300, 7.163, 1.841], atol=1e-3)


def test_ends_of_intervals_are_tails_of_poisson() -> None:
    found = counts(np.full(7, 0.5), [0.0, 1.0])
    tail = scipy.stats.norm.sf(1)
    assert scipy.stats.poisson.sf(6, found.lower[0]) == pytest.approx(tail, rel=1e-6)
    assert scipy.stats.poisson.cdf(7, found.upper[0]) == pytest.approx(tail, rel=1e-6)


def test_processes_and_data_are_apart() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L)
    everything = np.ones(len(labelled), bool)
    found = spectrum(labelled.values, labelled, EDGES, everything)
    assert list(found.processes) == ["ggH", "VBFH", "ZZ", "ttbar"]
    for name, histogram in found.processes.items():
        assert sum(histogram.weights) == pytest.approx(EXPECTED[name], rel=1e-6)
        assert histogram.total == pytest.approx(EXPECTED[name])
    zz = (labelled.events.sample == 2) & (labelled.values < 110)
    assert found.processes["ZZ"].weights[0] == pytest.approx(labelled.weight[zz].sum())
    squares = np.sum(labelled.weight[zz] ** 2)
    assert found.processes["ZZ"].squared_weights[0] == pytest.approx(squares)
    assert sum(found.data.counts) == COUNTS["data"]


def test_there_are_no_counts_without_data() -> None:
    counts_without = {name: count for name, count in COUNTS.items() if name != "data"}
    labelled = Labelled.of(toy_classes(counts_without), SAMPLES[:-1], M4L)
    everything = np.ones(len(labelled), bool)
    assert spectrum(labelled.values, labelled, EDGES, everything).data is None


def test_yields_are_sums_of_weights() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L)
    among = labelled.values > 124
    found = {each.process: each for each in yields(labelled, among)}
    chosen = labelled.weight[among & (labelled.events.sample == 0)]
    assert found["ggH"].events == len(chosen)
    assert found["ggH"].expected == pytest.approx((chosen.sum(), np.sqrt(np.sum(chosen**2))))
    assert found["data"].events == np.sum(among & labelled.data)
    assert found["data"].expected is None


VALUES = np.array([0.3, 0.1, 0.3, 0.9, 1.0])
WEIGHTS = np.array([[1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 1.0, 1.0, 1.0, -1.0]])
ALL = np.ones(5, bool)


def test_sums_below() -> None:
    limits = [0.0, 0.3, 0.95, np.inf]
    np.testing.assert_array_equal(
        SumsBelow(VALUES, ALL, limits)(WEIGHTS), [[0, 2, 10, 15], [0, 1, 4, 3]]
    )
    np.testing.assert_array_equal(
        SumsBelow(VALUES, ALL, limits, "right")(WEIGHTS), [[0, 6, 10, 15], [0, 3, 4, 3]]
    )


def test_sums_of_some_events_times_a_factor() -> None:
    sums = SumsBelow(VALUES, VALUES < 0.5, [0.2, 2.0])
    np.testing.assert_array_equal(
        sums(WEIGHTS, np.array([1, 10, 100, 0, 0])), [[20, 321], [10, 111]]
    )
    np.testing.assert_array_equal(WEIGHTS[0], [1, 2, 3, 4, 5])


def test_bins_are_those_of_numpy() -> None:
    edges = [0.1, 0.3, 0.9, 1.0]
    expected = [np.histogram(VALUES, edges, weights=weight)[0] for weight in WEIGHTS]
    np.testing.assert_array_equal(SumsInBins(VALUES, ALL, edges)(WEIGHTS), expected)


def test_nothing_below_anything() -> None:
    none = SumsBelow(VALUES, ~ALL, [0.5, 2.0])
    np.testing.assert_array_equal(none(WEIGHTS), np.zeros((2, 2)))
