"""Methods against each other on the same events and the same replicas."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np

from rootflow.evaluation.bootstrap import FloatArray, better_p_value, standard_deviation
from rootflow.evaluation.results import Comparison, Estimate
from rootflow.evaluation.tally import Tally

# What is compared, and whether more of it is better.
COMPARED = {
    "assignment_accuracy": True,
    "selection_accuracy": True,
    "mtt_resolution": False,
}


def comparisons(
    names: Sequence[str],
    statistics: Mapping[str, Tally],
    replicated: Mapping[str, FloatArray],
    weight: FloatArray,
) -> tuple[Comparison, ...]:
    """Return every two methods, both ways, for every metric in `COMPARED` that both have.

    Parameters
    ----------
    names
        Of the methods.
    statistics, replicated
        Statistics by METHOD/QUANTITY, and their replicas.
    weight
        (n,) of the events.
    """
    found = []
    for metric, more_is_better in COMPARED.items():
        values = {}
        for name in names:
            quantity, place = ("mtt", 1) if metric == "mtt_resolution" else (metric, 0)
            key = f"{name}/{quantity}"
            if key in statistics:
                sample = statistics[key].of_sample(weight)[place]
                both = np.concatenate([[sample], replicated[key][:, place]])
                values[name] = both if more_is_better else -both
        for method, other in permutations(values, 2):
            gain = values[method] - values[other]
            if np.isfinite(gain[0]) and np.sum(np.isfinite(gain[1:])) > 1:
                found.append(_comparison(metric, method, other, gain[0], gain[1:]))
    return tuple(found)


def _comparison(
    metric: str, method: str, other: str, gain: float, replicas: FloatArray
) -> Comparison:
    no_better, no_worse = better_p_value(replicas), better_p_value(-replicas)
    error = float(standard_deviation(replicas[:, np.newaxis])[0])
    two_sided = min(1.0, 2 * min(no_better, no_worse))
    return Comparison(metric, method, other, Estimate(float(gain), error), no_better, two_sided)
