import numpy as np

from rootflow.evaluation.classification.sums import SumsBelow, SumsInBins

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
