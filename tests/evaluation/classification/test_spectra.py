import numpy as np
import pytest
import scipy.stats

from rootflow.evaluation.classification.labelled import Labelled, spectrum, yields
from rootflow.evaluation.spectra import counts
from toy_classes import COUNTS, EXPECTED, M4L, SAMPLES, toy_classes

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
