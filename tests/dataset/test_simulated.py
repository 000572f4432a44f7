"""What a training can see of a dataset, by name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from four_lepton_ntuples import as_collisions, read_mini
from ntuples import Branches, write_ntuple
from rootflow.config.data import FourLeptonDataConfig
from rootflow.dataset import Dataset, open_dataset
from rootflow.dataset.digest import digest_of_simulation
from rootflow.ntuple import load_branch_map
from small_datasets import build

DATA = Path(__file__).parents[2] / "data" / "h4l"
SIGNAL, BACKGROUND = {"label": "signal"}, {"label": "background"}
WEIGHTS = {"negative": "keep", "luminosity_fb_inverse": 10, "sum_of_weights": "per_sample"}
OBSERVED = {"label": "data", "files": ["collisions.root"]}

Samples = Mapping[str, Mapping[str, Any]]
Files = Mapping[str, Sequence[Path]]
Build = Callable[..., Dataset]


@pytest.fixture(scope="module")
def ntuples() -> dict[str, Branches]:
    needed = load_branch_map("atlas_open_data").model_dump_json()
    return {
        name: {
            branch: array
            for branch, array in read_mini(DATA / f"{name}_s42_000.root", 240).items()
            if f'"{branch}"' in needed
        }
        for name in ("ggH", "ZZ")
    }


@pytest.fixture(scope="module")
def files(
    ntuples: dict[str, Branches], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Path]]:
    directory = tmp_path_factory.mktemp("ntuples")

    def write(name: str, branches: Branches) -> Path:
        return write_ntuple(directory / f"{name}.root", branches, tree="mini")

    def part(name: str, events: slice) -> Branches:
        return {branch: array[events] for branch, array in ntuples[name].items()}

    return {
        "ggH": [write("ggH", part("ggH", slice(0, 80)))],
        "ZZ": [
            write("ZZ_1", part("ZZ", slice(0, 40))),
            write("ZZ_2", part("ZZ", slice(40, 80))),
        ],
        "renamed": [write("another_name", part("ggH", slice(0, 80)))],
        "joined": [write("joined", part("ZZ", slice(0, 80)))],
        "data": [write("data", as_collisions(ntuples["ZZ"], slice(80, 160)))],
        "more": [write("more", as_collisions(ntuples["ZZ"], slice(160, 240)))],
    }


@pytest.fixture
def digest_of(tmp_path: Path) -> Callable[..., str]:
    def digest(samples: Samples, files: Files, **settings: Any) -> str:
        config = FourLeptonDataConfig.model_validate(
            {"samples": samples, "weights": WEIGHTS} | settings
        )
        return build(config, files, tmp_path).manifest.simulation_digest

    return digest


@pytest.fixture
def alone(digest_of: Callable[..., str], files: dict[str, list[Path]]) -> str:
    return digest_of({"ggH": SIGNAL, "ZZ": BACKGROUND}, files)


def test_collisions_beside_the_simulation_do_not_count(
    digest_of: Callable[..., str], files: dict[str, list[Path]], alone: str
) -> None:
    for samples in (
        {"ggH": SIGNAL, "ZZ": BACKGROUND, "data": OBSERVED},
        {"data": OBSERVED, "ggH": SIGNAL, "ZZ": BACKGROUND},
        {"ggH": SIGNAL, "data": OBSERVED, "ZZ": BACKGROUND, "more": OBSERVED},
    ):
        assert digest_of(samples, files) == alone


def test_collisions_of_runs_and_with_negative_numbers_do_not_count(
    digest_of: Callable[..., str],
    files: dict[str, list[Path]],
    ntuples: dict[str, Branches],
    tmp_path: Path,
    alone: str,
) -> None:
    collisions = as_collisions(ntuples["ZZ"], slice(80, 160))
    numbers = {"eventNumber": np.arange(80) - 40, "other": np.arange(80)}
    path = write_ntuple(tmp_path / "negative.root", {**collisions, **numbers}, tree="mini")
    own = tmp_path / "own.yaml"
    own.write_text("base: atlas_open_data\nidentity: [runNumber, other, eventNumber]\n"
                   "may_lack: []\n")  # fmt: skip
    samples = {"ggH": SIGNAL, "ZZ": BACKGROUND, "data": OBSERVED | {"branch_map": str(own)}}
    assert digest_of(samples, {**files, "data": [path]}) == alone


def test_who_collisions_are_does_not_count(
    digest_of: Callable[..., str],
    ntuples: dict[str, Branches],
    files: dict[str, list[Path]],
    tmp_path: Path,
    alone: str,
) -> None:
    """Their runs, numbers below zero and what decides their folds are no part of simulation."""
    observed = as_collisions(ntuples["ZZ"], slice(80, 160))
    observed["eventNumber"] = -np.asarray(observed["eventNumber"]).astype(np.int32)
    observed["runNumber"] = np.arange(80, dtype=np.int32)
    ntuple = write_ntuple(tmp_path / "signed.root", observed, tree="mini")
    branch_map = tmp_path / "runs.yaml"
    branch_map.write_text("base: atlas_open_data\nfold_number: runNumber\n")
    samples = {
        "ggH": SIGNAL,
        "data": OBSERVED | {"branch_map": str(branch_map)},
        "ZZ": BACKGROUND,
    }
    assert digest_of(samples, {**files, "data": [ntuple]}) == alone


def test_names_and_titles_do_not_count(
    digest_of: Callable[..., str], files: dict[str, list[Path]], tmp_path: Path, alone: str
) -> None:
    titled = {"ggH": SIGNAL | {"title": "$gg$"}, "ZZ": BACKGROUND}
    assert digest_of(titled, files) == alone
    renamed = {"Higgs": SIGNAL, "continuum": BACKGROUND}
    assert digest_of(renamed, {"Higgs": files["renamed"], "continuum": files["ZZ"]}) == alone
    assert digest_of({"ggH": SIGNAL, "ZZ": BACKGROUND}, {**files, "ZZ": files["joined"]}) == alone
    branch_map = tmp_path / "my_map.yaml"
    branch_map.write_text("base: atlas_open_data\n")
    samples = {"ggH": SIGNAL, "ZZ": BACKGROUND}
    assert digest_of(samples, files, branch_map=str(branch_map)) == alone


def test_whatever_a_training_can_see_counts(
    digest_of: Callable[..., str], files: dict[str, list[Path]], alone: str
) -> None:
    samples = {"ggH": SIGNAL, "ZZ": BACKGROUND}
    luminosity = WEIGHTS | {"luminosity_fb_inverse": 20}
    digests = {
        alone,
        digest_of({"ggH": BACKGROUND, "ZZ": SIGNAL}, files),
        digest_of({"ZZ": BACKGROUND, "ggH": SIGNAL}, files),
        digest_of({"ggH": SIGNAL}, files),
        digest_of(samples, {**files, "ZZ": files["ZZ"][::-1]}),
        digest_of(samples, {**files, "ZZ": files["ZZ"][:1]}),
        digest_of({"ggH": SIGNAL | {"cross_section_pb": 1.0}, "ZZ": BACKGROUND}, files),
        digest_of(samples, files, weights=luminosity),
        digest_of(samples, files, selection={"z1_mass_gev": [60, 106]}),
    }
    assert len(digests) == 9


@pytest.mark.parametrize("array", ["leptons", "event", "weight", "label", "event_number"])
def test_each_number_counts(
    array: str, digest_of: Callable[..., str], files: dict[str, list[Path]], tmp_path: Path
) -> None:
    digest_of({"data": OBSERVED, "ggH": SIGNAL, "ZZ": BACKGROUND}, files)
    [manifest] = tmp_path.glob("*/manifest.json")
    dataset = open_dataset(manifest.parent)

    def now() -> str:
        about = dataset.manifest
        return digest_of_simulation(dataset.path, about.arrays, about.features)

    before = now()
    assert before == dataset.manifest.simulation_digest
    values = np.load(dataset.path / f"{array}.npy", mmap_mode="r+")
    if array != "label":
        values[0] = 3  # of a collision
        values.flush()
        assert now() == before
    values[-1] = 1 if array == "label" else 3
    values.flush()
    assert now() != before
