import numpy as np
import pytest
from scipy import stats

from rootflow.config import FoldsConfig
from rootflow.dataset.folds import fold_of, mix

MASK = (1 << 64) - 1


def _plain_mix(number: int) -> int:
    number = (number + 0x9E3779B97F4A7C15) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def test_mixing_gives_the_published_first_numbers_of_splitmix64() -> None:
    # Its state grows by the golden gamma: a seed gives the mixes of seed, seed + gamma, ...
    seeds = np.array([1234567 + i * 0x9E3779B97F4A7C15 & MASK for i in range(5)], dtype=np.uint64)
    assert mix(seeds).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize("count", [2, 5, 7])
def test_folds_are_those_of_whole_numbers_in_plain_python(count: int) -> None:
    numbers = [0, 1, 2, 10_000_000, 2**32 - 1, 2**63, MASK, *range(1000, 1100)]
    folds = fold_of(np.array(numbers, dtype=np.uint64), FoldsConfig(count=count))
    assert folds.dtype == np.uint8
    assert folds.tolist() == [_plain_mix(number) % count for number in numbers]


@pytest.mark.parametrize(
    "numbers",
    [
        np.arange(100_000),
        np.arange(100_000) * 5,
        np.arange(100_000) * 2**32,
        10_000_000 + np.arange(100_000) * 1000,
    ],
    ids=["rising", "fives", "high-bits", "thousands"],
)
@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_folds_are_of_equal_size(numbers: np.ndarray, count: int) -> None:
    folds = fold_of(numbers.astype(np.uint64), FoldsConfig(count=count))
    counts = np.bincount(folds, minlength=count)
    assert len(counts) == count
    assert stats.chisquare(counts).pvalue > 1e-3


def test_neighbours_are_independent() -> None:
    folds = fold_of(np.arange(100_000, dtype=np.uint64), FoldsConfig(count=5))
    pairs = np.bincount(5 * folds[:-1].astype(int) + folds[1:], minlength=25).reshape(5, 5)
    assert stats.chi2_contingency(pairs).pvalue > 1e-3


def test_modulo_is_the_rest_on_division() -> None:
    numbers = np.array([0, 1, 4, 5, 10_000_003, 2**63 + 1], dtype=np.uint64)
    folds = fold_of(numbers, FoldsConfig(count=5, scheme="modulo"))
    assert folds.tolist() == [0, 1, 4, 0, 3, (2**63 + 1) % 5]


def test_parity_puts_even_events_into_fold_0() -> None:
    numbers = np.array([0, 1, 2, 3, 2**63 + 1], dtype=np.uint64)
    folds = fold_of(numbers, FoldsConfig(count=2, scheme="parity"))
    assert folds.tolist() == [0, 1, 0, 1, 1]
