"""Memory does not grow with the input."""

import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from ntuples import Branches, read_branches

BUILD = """
import sys
from pathlib import Path
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import build
from rootflow.dataset.readings.dilepton import Dilepton
config = DileptonDataConfig.model_validate({"weights": {"negative": "keep"}})
events = len(build(config, {"ttbar": [Path(sys.argv[1])]}, Path(sys.argv[2]), Dilepton()))
# Not getrusage's, which is also that of the process that started this one.
[peak] = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
print(events, int(peak.split()[1]) * 1024)
"""


def _write(path: Path, branches: Branches, times: int) -> Path:
    numbers = branches["eventNumber"].to_numpy()
    with uproot.recreate(path, compression=None) as file:
        types = {name: ak.type(array).content for name, array in branches.items()}
        tree = file.mktree("reco", types)
        for i in range(times):
            tree.extend({**branches, "eventNumber": numbers + np.int64(i * 100_000_000)})
    return path


def _peak(path: Path, directory: Path) -> tuple[int, int]:
    """Return how many events a build selects, and the most memory it had, in bytes."""
    answer = subprocess.run(
        [sys.executable, "-c", BUILD, str(path), str(directory)],
        capture_output=True,
        text=True,
        check=True,
    )
    events, peak = map(int, answer.stdout.split())
    return events, peak


def test_many_events_need_no_more_memory_than_some(ttbar_files: list[Path], tmp_path: Path) -> None:
    branches = read_branches(ttbar_files[0])
    some, peak_of_some = _peak(_write(tmp_path / "some.root", branches, 10), tmp_path / "some")
    many, peak_of_many = _peak(_write(tmp_path / "many.root", branches, 64), tmp_path / "many")
    assert (some, many) == (10 * 20_000, 64 * 20_000)
    assert peak_of_many < 1.5e9
    # An event takes 360 bytes as it is read and 294 as it is written.
    assert peak_of_many - peak_of_some < 200 * (many - some)
