import numpy as np

from rootflow.evaluation.classification.binning import fit_edges
from rootflow.evaluation.classification.labelled import Labelled
from toy_classes import COUNTS, M4L, SAMPLES, toy_classes


def test_no_bin_has_a_process_with_a_negative_sum() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L).simulation()
    scores = np.linspace(0, 1, len(labelled))[np.argsort(np.argsort(labelled.values))]
    among = np.flatnonzero(labelled.simulated["ttbar"])
    lowest = among[np.argsort(scores[among])]
    labelled.weight[lowest[:5]] = -labelled.weight[lowest[5:]].sum() / 10
    edges = fit_edges(scores, labelled, 20)
    assert (edges[0], edges[-1]) == (0, 1)
    assert np.all(np.diff(edges) > 0)
    for process in labelled.simulated.values():
        sums, _ = np.histogram(scores[process], edges, weights=labelled.weight[process])
        assert np.all(sums >= 0)
