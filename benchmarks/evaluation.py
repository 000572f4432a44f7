"""Bootstrap errors against a plain loop that resamples the events, in the same run.

`large` is the whole of a comparison: EVENTS x METHODS x REPLICAS, all scalar metrics
of m(ttbar), both neutrinos and the assignment, 12 statistics of a method. Arguments are those
three numbers; 1000000 5 1000 takes some tens of seconds and 2 GB.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import (
    CellStatistic,
    bootstrap,
)
from rootflow.evaluation.cell_statistics import BiasAndResolution, Shares, bin_of, everywhere
from rootflow.evaluation.results import LOWER_QUANTILE, UPPER_QUANTILE

EVENTS, REPLICAS, REPETITIONS = 10_000, 200, 5
LARGE = (100_000, 5, 1000)
SHARES, RESIDUALS = 4, 8
Errors = NDArray[np.float64]


def main() -> None:
    random = np.random.default_rng(1)
    right = random.random(EVENTS) < 0.75
    jets = bin_of(np.minimum(2 + random.poisson(0.9, EVENTS), 6), (1.5, 2.5, 3.5, 4.5, 5.5, 6.5))
    residuals = random.normal(0, 0.2, EVENTS)
    weight = random.exponential(1, EVENTS)
    everybody = everywhere(np.ones(EVENTS, bool))

    def ours() -> Errors:
        asked: dict[str, CellStatistic] = {
            "accuracy": Shares(right, jets, 5),
            "mtt": BiasAndResolution(residuals, everybody, 1, weight),
        }
        found = bootstrap(asked, weight, REPLICAS, seed=1)
        return np.concatenate([found["accuracy"].errors, found["mtt"].errors])

    def loop() -> Errors:
        random = np.random.default_rng(1)
        replicas = [resampled(random.integers(0, EVENTS, EVENTS)) for _ in range(REPLICAS)]
        return np.std(replicas, axis=0, ddof=1)

    def resampled(index: NDArray[np.int64]) -> list[float]:
        of, bins = weight[index], jets[index]
        accuracies = [np.average(right[index], weights=of * (bins == each)) for each in range(5)]
        lower, median, upper = np.quantile(
            residuals[index],
            [LOWER_QUANTILE, 0.5, UPPER_QUANTILE],
            weights=of,
            method="inverted_cdf",
        )
        return [*accuracies, median, (upper - lower) / 2]

    np.testing.assert_allclose(ours(), loop(), rtol=0.4)  # both found from few replicas
    pairs = [(seconds(loop), seconds(ours)) for _ in range(REPETITIONS)]
    print(
        json.dumps(
            {
                "name": "evaluation",
                "value": round(REPLICAS / statistics.median(fast for _, fast in pairs)),
                "unit": f"bootstrap replicas of {EVENTS} events/s",
                "reference": "a loop that resamples the events",
                "ratio": round(statistics.median(slow / fast for slow, fast in pairs), 2),
                "large": large(*(map(int, sys.argv[1:]) if len(sys.argv) == 4 else LARGE)),
            }
        )
    )


def large(events: int, methods: int, replicas: int) -> dict[str, float | str]:
    """Return the seconds of all errors, and of one replica of the loop times the replicas."""
    random = np.random.default_rng(1)
    weight, everybody = random.exponential(1, events), everywhere(np.ones(events, bool))
    residuals = random.normal(0, 0.2, (methods, RESIDUALS, events)).astype(np.float32)
    right = random.random((methods, SHARES, events)) < 0.75
    start = time.perf_counter()
    asked: dict[str, CellStatistic] = {}
    for method in range(methods):
        for number in range(SHARES):
            asked[f"{method}/share/{number}"] = Shares(right[method, number], everybody, 1)
        for number in range(RESIDUALS):
            asked[f"{method}/residual/{number}"] = BiasAndResolution(
                residuals[method, number], everybody, 1, weight
            )
    bootstrap(asked, weight, replicas, seed=1)
    took = time.perf_counter() - start

    def one_replica() -> Errors:
        index = random.integers(0, events, events)
        of = weight[index]
        for method in range(methods):
            for share in right[method]:
                np.average(share[index], weights=of)
            for each in residuals[method]:
                np.quantile(each[index], [0.16, 0.5, 0.84], weights=of, method="inverted_cdf")
        return of

    return {
        "value": round(took, 1),
        "unit": f"s for {replicas} replicas of {len(asked)} statistics, {methods} methods, "
        f"{events} events",
        "reference": "the loop, one replica of it times their number",
        "ratio": round(seconds(one_replica) * replicas / took, 1),
    }


def seconds(work: Callable[[], Errors]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
