import importlib.util
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import awkward as ak
import numpy as np
import psutil
import pytest
import uproot

from rootflow.config.simulation import GeneratorConfig, SimulationConfig
from rootflow.errors import InputError, RootflowError, UsageError
from rootflow.files import LOCK
from rootflow.simulation import sample as sample_module
from rootflow.simulation import simulate
from rootflow.simulation.plan import SimulationPlan
from rootflow.simulation.sample import make_chunks
from simulated import assert_same_events, read_events

SEED = 42
SIMULATE = """
import sys
from pathlib import Path
from rootflow.config.simulation import SimulationConfig
from rootflow.simulation import simulate
simulate(SimulationConfig.model_validate_json(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def files(quick_config: SimulationConfig, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate(quick_config, SEED, tmp_path_factory.mktemp("simulated") / "sample")


def test_branches_and_types_are_those_of_the_shipped_ntuple(
    files: list[Path], ttbar_files: list[Path]
) -> None:
    with uproot.open(files[0]) as ours, uproot.open(ttbar_files[0]) as shipped:
        types, shipped_types = (
            {name: (branch.typename, str(branch.interpretation)) for name, branch in tree.items()}
            for tree in (ours["reco"], shipped["reco"])
        )
    assert types == shipped_types


def test_a_sample_is_a_few_finished_files(files: list[Path]) -> None:
    assert [path.name for path in files] == ["ttbar_s42_000.root", "ttbar_s42_001.root"]
    assert sorted(path.name for path in files[0].parent.iterdir()) == [
        LOCK,
        "simulation.json",
        "ttbar_s42_000.root",
        "ttbar_s42_001.root",
    ]
    assert [len(read_events([path], "reco")) for path in files] == [40, 10]
    numbers = ak.to_numpy(read_events(files, "reco").eventNumber)
    assert len(np.unique(numbers)) == 50
    assert set(numbers >> 32) == {SEED}


def test_the_number_of_workers_does_not_change_the_sample(
    files: list[Path], quick_config: SimulationConfig, tmp_path: Path
) -> None:
    alone = simulate(quick_config.model_copy(update={"workers": 1}), SEED, tmp_path)
    assert_same_events(files, alone, "reco")


def test_a_finished_sample_is_found_again(
    files: list[Path], quick_config: SimulationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_module, "make_chunks", None)
    assert simulate(quick_config, SEED, files[0].parent) == files


def test_a_directory_is_for_one_sample(files: list[Path], quick_config: SimulationConfig) -> None:
    with pytest.raises(UsageError, match="has another sample"):
        simulate(quick_config, SEED + 1, files[0].parent)
    larger = quick_config.model_copy(update={"events": 60})
    with pytest.raises(UsageError, match="has another sample"):
        simulate(larger, SEED, files[0].parent)


def test_a_killed_simulation_goes_on_where_it_was(
    files: list[Path],
    quick_config: SimulationConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = SimulationPlan(quick_config, SEED, tmp_path / "sample")
    arguments = [quick_config.model_dump_json(), str(SEED), str(plan.directory)]
    process = subprocess.Popen([sys.executable, "-c", SIMULATE, *arguments])
    while not any(plan.chunk_path(chunk).exists() for chunk in range(plan.chunks)):
        assert process.poll() is None
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not psutil.wait_procs(workers, timeout=30)[1], "workers outlive their parent"
    assert not plan.manifest_path.exists()

    kept = {chunk for chunk in range(plan.chunks) if plan.chunk_path(chunk).exists()}
    made: set[int] = set()

    def recording(plan: SimulationPlan, chunks: Sequence[int]) -> Iterator[int]:
        made.update(chunks)
        return make_chunks(plan, chunks)

    monkeypatch.setattr(sample_module, "make_chunks", recording)
    assert_same_events(files, simulate(quick_config, SEED, plan.directory), "reco")
    assert kept
    assert made == set(range(plan.chunks)) - kept


def test_a_worker_that_dies_is_one_clear_error(
    quick_config: SimulationConfig, tmp_path: Path
) -> None:
    def kill_a_worker() -> None:
        while not (children := multiprocessing.active_children()):
            time.sleep(0.01)
        time.sleep(0.5)  # all are started, and none has its generators yet
        os.kill(children[0].pid or 0, signal.SIGKILL)

    killer = threading.Thread(target=kill_a_worker)
    killer.start()
    with pytest.raises(RootflowError, match=r"worker died \(exit status -9\)"):
        simulate(quick_config, SEED, tmp_path)
    killer.join()
    assert multiprocessing.active_children() == []
    assert not list(tmp_path.glob("*.root"))


def test_a_mistake_that_workers_find_is_one_clear_error(
    quick_config: SimulationConfig, tmp_path: Path
) -> None:
    wrong = GeneratorConfig(settings=["Foo:bar = 1"])
    with pytest.raises(UsageError, match="Pythia does not take the setting 'Foo:bar = 1'"):
        simulate(quick_config.model_copy(update={"generator": wrong}), SEED, tmp_path)


def test_a_damaged_chunk_is_named(quick_config: SimulationConfig, tmp_path: Path) -> None:
    plan = SimulationPlan(quick_config, SEED, tmp_path)
    plan.chunk_directory.mkdir()
    for chunk in range(plan.chunks):
        plan.chunk_path(chunk).write_bytes(b"")
    with pytest.raises(InputError, match=r"chunk_000000.root: damaged"):
        simulate(quick_config, SEED, tmp_path)


def test_a_foreign_manifest_is_named(quick_config: SimulationConfig, tmp_path: Path) -> None:
    (tmp_path / "simulation.json").write_text("[]")
    with pytest.raises(InputError, match=r"simulation.json: not what simulate writes"):
        simulate(quick_config, SEED, tmp_path)


def test_a_directory_that_cannot_be_made_is_named(
    quick_config: SimulationConfig, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "sample"
    in_the_way.write_text("")
    with pytest.raises(UsageError, match="sample: cannot make this directory: File exists"):
        simulate(quick_config, SEED, in_the_way)


def test_a_seed_that_does_not_fit_is_refused(
    quick_config: SimulationConfig, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="the seed is 2147483648"):
        simulate(quick_config, 2**31, tmp_path)


def test_what_is_not_installed_is_named(
    quick_config: SimulationConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(RootflowError, match=r"pip install 'rootflow\[simulation\]'"):
        simulate(quick_config, SEED, tmp_path)
