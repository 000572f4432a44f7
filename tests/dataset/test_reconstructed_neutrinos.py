"""Neutrinos of the ntuple, from the file to the method `branches`."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from ntuples import Branches, write_ntuple
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import Dataset
from rootflow.methods.make import make_method
from small_datasets import build, digest, plans_of


@pytest.fixture(scope="module")
def momenta(branches: Branches) -> np.ndarray:
    count = len(branches["eventNumber"])
    return np.random.default_rng(1).normal(0, 60, (count, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def ntuple(
    branches: Branches, momenta: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    values = ak.from_regular(ak.Array(momenta))
    path = tmp_path_factory.mktemp("ntuple") / "nuflows.root"
    return write_ntuple(path, {**branches, "nuflows_nu_out_NOSYS": values})


@pytest.fixture
def with_neutrinos(config: DileptonDataConfig) -> DileptonDataConfig:
    return config.model_copy(update={"branch_map": "topcptoolkit_nuflows"})


@pytest.fixture
def dataset(with_neutrinos: DileptonDataConfig, ntuple: Path, tmp_path: Path) -> Dataset:
    settings = DileptonDataConfig.model_validate(
        {**with_neutrinos.model_dump(), "copies": ["root"], "selection": {"jet_pt_min_gev": 40}}
    )
    return build(settings, {"ttbar": [ntuple]}, tmp_path)


def test_each_event_has_its_own(dataset: Dataset, branches: Branches, momenta: np.ndarray) -> None:
    events = dataset.events()
    place = {number: row for row, number in enumerate(branches["eventNumber"].to_numpy())}
    rows = [place[number] for number in events.event_number]
    assert len(rows) < len(momenta)  # a selection is between the two
    np.testing.assert_array_equal(events.reconstructed_neutrinos, momenta[rows].reshape(-1, 2, 3))
    answer = make_method("branches", 1).answer(events)
    assert np.all(answer.solved)
    np.testing.assert_array_equal(answer.neutrinos, events.reconstructed_neutrinos)


def test_the_copy_has_them(dataset: Dataset) -> None:
    with uproot.open(dataset.path.with_name(f"{dataset.path.name}.root")) as file:
        antineutrino_pz = file["events"]["reconstructed_antineutrino_pz"].array(library="np")
    expected = dataset.events().reconstructed_neutrinos[:, 1, 2]
    np.testing.assert_array_equal(antineutrino_pz, expected)


def test_they_are_part_of_the_question(
    config: DileptonDataConfig, with_neutrinos: DileptonDataConfig, ntuple: Path, tmp_path: Path
) -> None:
    files = {"ttbar": [ntuple]}
    assert digest(config, files) != digest(with_neutrinos, files)
    without = build(config, files, tmp_path).events()
    assert without.reconstructed_neutrinos is None


def test_maps_without_them_ask_the_question_that_they_asked_before(
    config: DileptonDataConfig, ntuple: Path
) -> None:
    (plan,) = plans_of(config, {"ttbar": [ntuple]})
    assert "neutrinos" not in plan.question["branch_map"]
