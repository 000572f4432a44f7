"""Distributions of an independent simulation, to hold ours against."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# 50,147 events of ttbar, 15,730 of ggH and 19,983 of ZZ, made with Pythia 8 and FastJet by a
# program that shares no code with rootflow: for each observable some values, and the share of
# the distribution up to and with each of them.
DISTRIBUTIONS: dict[str, dict[str, dict[str, list[float]]]] = json.loads(
    Path(__file__).with_suffix(".json").read_text()
)


def difference(found: NDArray[Any], process: str, observable: str) -> float:
    """Return the largest difference of the cumulative distributions, at those values."""
    expected = DISTRIBUTIONS[process][observable]
    shares = np.searchsorted(np.sort(found), expected["values"], side="right") / len(found)
    return float(np.abs(shares - expected["shares"]).max())
