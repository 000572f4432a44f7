"""Files shared out among processes: whatever their number, the same dataset and the same errors."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rootflow.dataset
from four_lepton_ntuples import read_mini
from ntuples import Branches, changed, write_ntuple
from rootflow.config.data import FourLeptonDataConfig
from rootflow.dataset import Dataset, parts, sharing
from rootflow.errors import InputError, RootflowError
from rootflow.ntuple import load_branch_map
from slow_readings import InManyChunks, KilledElsewhere

SAMPLES = {"ZZ": {"label": "background"}, "data": {"label": "data", "files": ["collisions.root"]}}
WEIGHTS = {"negative": "keep", "luminosity_fb_inverse": 10, "sum_of_weights": "per_file"}
EVENTS = 900
PROCESSES = (1, 2, 3)


@pytest.fixture(autouse=True)
def few_bytes_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some kilobytes are worth processes, in several shares each."""
    monkeypatch.setattr(sharing, "BYTES_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(parts, "SHARE_BYTES", 30_000)


@pytest.fixture(scope="module")
def mini(h4l_files: dict[str, list[Path]]) -> Branches:
    needed = load_branch_map("atlas_open_data").model_dump_json()
    branches = read_mini(h4l_files["ZZ"][0], EVENTS)
    return {name: array for name, array in branches.items() if f'"{name}"' in needed}


def written(path: Path, branches: Branches, part: slice = slice(None), **changes: Any) -> Path:
    chosen = {name: array[part] for name, array in (branches | changes).items()}
    return write_ntuple(path, chosen, tree="mini")


def built(
    files: Mapping[str, Sequence[Path]], directory: Path, workers: int, **settings: Any
) -> Dataset:
    samples = {name: SAMPLES[name] for name in files}
    config = FourLeptonDataConfig.model_validate(
        {"samples": samples, "weights": WEIGHTS, "workers": workers, **settings}
    )
    return rootflow.dataset.build(config, files, directory, InManyChunks.of(config))


def content(dataset: Dataset) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in dataset.path.iterdir()}


def test_any_number_makes_the_same_dataset(
    tmp_path: Path, mini: Branches, collision_files: list[Path]
) -> None:
    half = EVENTS // 2
    simulated = [
        written(tmp_path / "first.root", mini, slice(0, half)),
        written(tmp_path / "overlap.root", mini, slice(half - 50, EVENTS)),
    ]
    files = {"ZZ": simulated, "data": collision_files}
    one, *others = [
        built(files, tmp_path / str(workers), workers, repeated_events="drop")
        for workers in PROCESSES
    ]
    assert one.manifest.samples[0].repeated_events_dropped == 50
    assert one.manifest.samples[0].cutflow[0].events == EVENTS + 50
    for other in others:
        assert content(other) == content(one)


def test_what_no_memory_holds_waits_in_files(
    tmp_path: Path, mini: Branches, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "events.root", mini)
    in_memory = built({"ZZ": [path]}, tmp_path / "memory", workers=1)
    monkeypatch.setattr(sharing, "HELD_BYTES", 0)
    in_files = built({"ZZ": [path]}, tmp_path / "files", workers=2)
    assert content(in_files) == content(in_memory)


def said(files: Mapping[str, Sequence[Path]], directory: Path) -> str:
    """Return the error that any number of processes gives alike."""
    messages = set()
    for workers in PROCESSES:
        with pytest.raises(InputError) as caught:
            built(files, directory, workers)
        messages.add(str(caught.value))
    (message,) = messages
    return message


@pytest.mark.parametrize(
    ("branch", "value", "what"),
    [
        ("lep_pt", np.nan, "branch 'lep_pt' is nan"),
        ("mcWeight", np.inf, "branch 'mcWeight' is inf, which is no weight"),
        ("SumWeights", 17.0, "branch 'SumWeights' is 17 but"),
    ],
)
def test_the_first_error_in_the_order_of_the_events_is_said(
    tmp_path: Path, mini: Branches, branch: str, value: Any, what: str
) -> None:
    place = EVENTS - 100
    leptons, of_last = len(mini["lep_pt"][place]), len(mini["lep_eta"][EVENTS - 1])
    changes = {
        "eventNumber": mini["eventNumber"] + 10_000,
        "lep_eta": changed(mini["lep_eta"], EVENTS - 1, [np.nan] * of_last),
        branch: changed(mini[branch], place, [value] * leptons if branch == "lep_pt" else value),
    }
    files = [
        written(tmp_path / "whole.root", mini),
        written(tmp_path / "second.root", mini, **changes),
        written(tmp_path / "third.root", mini, lep_phi=mini["lep_phi"] * np.float32(np.nan)),
    ]
    message = said({"ZZ": files}, tmp_path / "datasets")
    assert message.startswith(f"{files[1]}, event {mini['eventNumber'][place] + 10_000} ")
    assert what in message
    assert message.endswith(f"(entry {place})")
    assert not [path for path in (tmp_path / "datasets").iterdir() if path.is_dir()]


def test_weights_that_are_all_zero(tmp_path: Path, mini: Branches) -> None:
    path = written(tmp_path / "zero.root", mini, mcWeight=mini["mcWeight"] * np.float32(0))
    message = said({"ZZ": [path]}, tmp_path / "datasets")
    assert f"the weights of all {EVENTS} events are zero" in message


def test_an_event_in_two_files(tmp_path: Path, mini: Branches) -> None:
    files = [
        written(tmp_path / f"{name}.root", mini, part)
        for name, part in (("one", slice(0, 500)), ("two", slice(450, EVENTS)))
    ]
    message = said({"ZZ": files}, tmp_path / "datasets")
    assert f"is in {files[0]}, too; 50 of its 450 events are in files" in message


def test_a_process_that_is_killed_is_said_in_one_line(tmp_path: Path, mini: Branches) -> None:
    path = written(tmp_path / "events.root", mini)
    config = FourLeptonDataConfig.model_validate(
        {"samples": {"ZZ": SAMPLES["ZZ"]}, "weights": WEIGHTS, "workers": 2}
    )
    reading = KilledElsewhere.of(config)
    with pytest.raises(RootflowError, match="preprocess: a worker died, maybe for want of memory"):
        rootflow.dataset.build(config, {"ZZ": [path]}, tmp_path / "datasets", reading)
    assert not [each for each in (tmp_path / "datasets").iterdir() if each.is_dir()]


SCRIPT = """
import sys
from pathlib import Path
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import build, sharing
from rootflow.dataset.readings.dilepton import Dilepton

sharing.BYTES_WORTH_A_PROCESS = 1
config = DileptonDataConfig.model_validate({"weights": {"negative": "keep"}, "workers": 2})
print("begun")
print(len(build(config, {"ttbar": [Path(sys.argv[1])]}, Path(sys.argv[2]), Dilepton())))
"""


def test_a_script_that_guards_nothing_is_run_once(ttbar_files: list[Path], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(ttbar_files[0]), str(tmp_path / "datasets")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "begun\n20000\n", done.stderr
