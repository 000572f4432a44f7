"""Four-lepton samples on disk: what is shared with ttbar is tested in test_sample.py."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from rootflow.config.simulation import FourLeptonSimulationConfig
from rootflow.simulation import digest, simulate
from rootflow.simulation import sample as sample_module
from rootflow.simulation.plan import SimulationPlan
from rootflow.simulation.processes import PROCESSES
from rootflow.simulation.sample import make_chunks
from simulated import assert_same_events, read_events

SEED = 42


@pytest.fixture(scope="module")
def files(
    quick_four_leptons: FourLeptonSimulationConfig, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    return simulate(quick_four_leptons.of("ggH"), SEED, tmp_path_factory.mktemp("ggH"))


def test_branches_and_types_are_those_of_the_shipped_ntuple(
    files: list[Path], h4l_files: dict[str, list[Path]]
) -> None:
    with uproot.open(files[0]) as ours, uproot.open(h4l_files["ggH"][0]) as shipped:
        types, shipped_types = (
            {name: (branch.typename, str(branch.interpretation)) for name, branch in tree.items()}
            for tree in (ours["mini"], shipped["mini"])
        )
    assert types == shipped_types


def test_each_file_has_the_sum_of_weights_of_its_own_chunks(
    files: list[Path], quick_four_leptons: FourLeptonSimulationConfig
) -> None:
    assert [path.name for path in files] == ["ggH_s42_000.root", "ggH_s42_001.root"]
    manifest = json.loads((files[0].parent / "simulation.json").read_text())
    of_file = []
    for path in files:
        events = read_events([path], "mini")
        assert len(np.unique(events.SumWeights)) == 1
        of_file.append(events.SumWeights[0])
        np.testing.assert_allclose(events.XSection, manifest["cross_section_pb"], rtol=1e-6)
    assert sum(of_file) == manifest["generated_events"]
    assert of_file[0] > of_file[1] > 10
    config = quick_four_leptons.of("ggH")
    assert manifest["digest"] == digest(config, SEED)


def test_processes_of_one_seed_share_no_event(
    files: list[Path], quick_four_leptons: FourLeptonSimulationConfig, tmp_path: Path
) -> None:
    pairs = simulate(quick_four_leptons.of("ZZ"), SEED, tmp_path)
    numbers, other_numbers = (
        ak.to_numpy(read_events(each, "mini").eventNumber) for each in (files, pairs)
    )
    assert not np.isin(numbers, other_numbers).any()
    assert set(numbers >> 32) == set(other_numbers >> 32) == {SEED}
    assert set(other_numbers >> 29 & 7) == {PROCESSES["ZZ"].number}


def test_a_stopped_simulation_goes_on_to_the_same_sample(
    files: list[Path],
    quick_four_leptons: FourLeptonSimulationConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = quick_four_leptons.of("ggH").model_copy(update={"workers": 1})
    plan = SimulationPlan(config, SEED, tmp_path)
    assert list(make_chunks(plan, [1])) == [1]
    made: list[int] = []

    def recording(plan: SimulationPlan, chunks: Sequence[int]) -> Iterator[int]:
        made.extend(chunks)
        return make_chunks(plan, chunks)

    monkeypatch.setattr(sample_module, "make_chunks", recording)
    assert_same_events(files, simulate(config, SEED, tmp_path), "mini")
    assert made == [0, 2]


def test_the_events_of_one_process_do_not_name_the_sample_of_another(
    quick_four_leptons: FourLeptonSimulationConfig,
) -> None:
    more = quick_four_leptons.model_copy(update={"events": {"ggH": 50, "ZZ": 51}})
    assert digest(more.of("ggH"), SEED) == digest(quick_four_leptons.of("ggH"), SEED)
    assert digest(more.of("ZZ"), SEED) != digest(quick_four_leptons.of("ZZ"), SEED)
