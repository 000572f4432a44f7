"""Bootstrap errors against a plain loop that resamples the events, in the same run."""

import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import (
    LOWER_QUANTILE,
    UPPER_QUANTILE,
    BiasAndResolution,
    Means,
    estimate,
)

EVENTS, REPLICAS, REPETITIONS = 10_000, 200, 5
Errors = NDArray[np.float64]


def main() -> None:
    random = np.random.default_rng(1)
    right = random.random(EVENTS) < 0.75
    jets = np.minimum(2 + random.poisson(0.9, EVENTS), 6)[:, np.newaxis] == np.arange(2, 7)
    residuals = random.normal(0, 0.2, EVENTS)
    weight = random.exponential(1, EVENTS)

    def ours() -> Errors:
        everywhere = np.ones(EVENTS, bool)
        asked = {
            "accuracy": Means(np.broadcast_to(right[:, np.newaxis], jets.shape), jets),
            "mtt": BiasAndResolution(residuals, everywhere),
        }
        found = estimate(asked, weight, REPLICAS, seed=1)
        return np.concatenate([found["accuracy"].errors, found["mtt"].errors])

    def loop() -> Errors:
        random = np.random.default_rng(1)
        replicas = [resampled(random.integers(0, EVENTS, EVENTS)) for _ in range(REPLICAS)]
        return np.std(replicas, axis=0, ddof=1)

    def resampled(index: NDArray[np.int64]) -> list[float]:
        of = weight[index]
        accuracies = [np.average(right[index], weights=of * bin_[index]) for bin_ in jets.T]
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
            }
        )
    )


def seconds(work: Callable[[], Errors]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
