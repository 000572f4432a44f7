#!/usr/bin/env bash
# scikit-learn 1.9.1: event weights make gradient boosted trees many times slower to grow.
#
# HistGradientBoostingClassifier puts each column into 255 bins before the first tree. Without
# weights it asks for all edges in one call of a quantile; with weights, those of Monte Carlo events
# say, it asks for each edge by itself and sorts the whole column again each time: 254 sorts of each
# of 20 columns here. On 20,000 events that is most of the fit, and a fit of a few trees, such as a
# refit up to the best of them, costs nearly as much as one of many.
#
# Output seen (one thread, a busy machine):
#   without weights: 5.9 s, 1.0 s of it bins; with weights: 71.8 s, 66.8 s of it bins;
#   weighted quantiles of whole columns: 0 and 5080
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-learn==1.9.1 numpy==2.4.6 threadpoolctl
cat >"$folder/grow.py" <<'PYTHON'
import cProfile
import pstats
import time

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

EVENTS, COLUMNS = 20_000, 20
random = np.random.default_rng(1)
values = random.normal(size=(EVENTS, COLUMNS)).astype(np.float32)
label = (values[:, 0] + random.normal(size=EVENTS) > 0).astype(int)
weight = random.uniform(0.5, 1.5, EVENTS)


def grown(weight: np.ndarray | None) -> tuple[float, float, int]:
    """Return seconds of a fit of 50 trees, seconds of its bins, and weighted quantiles asked."""
    trees = HistGradientBoostingClassifier(max_iter=50, early_stopping=False, random_state=1)
    profile = cProfile.Profile()
    started = time.perf_counter()
    profile.runcall(trees.fit, values, label, weight)
    seconds = time.perf_counter() - started
    bins, calls = 0.0, 0
    for (_, _, name), (_, count, _, cumulative, _) in pstats.Stats(profile).stats.items():
        bins = max(bins, cumulative) if name == "_bin_data" else bins
        calls += count if name == "_weighted_percentile" else 0
    return seconds, bins, calls


with threadpool_limits(1):
    plain, weighted = grown(None), grown(weight)
print(
    f"without weights: {plain[0]:.1f} s, {plain[1]:.1f} s of it bins; "
    f"with weights: {weighted[0]:.1f} s, {weighted[1]:.1f} s of it bins; "
    f"weighted quantiles of whole columns: {plain[2]} and {weighted[2]}"
)
assert plain[2] == 0 and weighted[2] == 254 * COLUMNS, "scikit-learn asks otherwise now"
assert weighted[1] > weighted[0] / 2 > plain[0], "bins are no longer most of the time"
PYTHON
"$folder/venv/bin/python" "$folder/grow.py"
