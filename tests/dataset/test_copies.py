from pathlib import Path
from typing import Literal

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot

import rootflow.dataset.copies
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import Dataset, Events
from rootflow.dataset.copies import write_copy
from rootflow.formats import writing
from small_datasets import build


@pytest.fixture
def dataset(
    config: DileptonDataConfig, ntuple: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Dataset:
    monkeypatch.setattr(rootflow.dataset.copies, "EVENTS_AT_ONCE", 150)  # three chunks
    monkeypatch.setattr(writing, "PART_ENTRIES", 100)
    monkeypatch.setattr(writing.TableWriter, "part_bytes", 1)
    return build(config, {"ttbar": [ntuple]}, tmp_path / "datasets")


def _same_events(columns: ak.Array, events: Events) -> None:
    assert len(columns) == len(events)
    counts = events.jet_mask.sum(axis=1)
    real_jets = events.jets[events.jet_mask]
    for i, name in enumerate(events.features["jets"]):
        jets = columns[f"jet_{name}"]
        np.testing.assert_array_equal(ak.num(jets).to_numpy(), counts)
        np.testing.assert_array_equal(ak.flatten(jets).to_numpy(), real_jets[:, i])
    for i, name in enumerate(events.features["leptons"]):
        leptons = ak.to_regular(columns[f"lepton_{name}"]).to_numpy()
        np.testing.assert_array_equal(leptons, events.leptons[..., i])
    for i, name in enumerate(events.features["met"]):
        np.testing.assert_array_equal(columns[f"met_{name}"].to_numpy(), events.met[:, i])
    for name in ("weight", "event_number", "file_index", "fold"):
        np.testing.assert_array_equal(columns[name].to_numpy(), getattr(events, name))
    assert events.assignment is not None
    assert events.neutrinos is not None
    assert events.tops is not None
    np.testing.assert_array_equal(columns["bbar_jet"].to_numpy(), events.assignment[:, 1])
    np.testing.assert_array_equal(columns["antineutrino_pz"].to_numpy(), events.neutrinos[:, 1, 2])
    np.testing.assert_array_equal(columns["top_energy"].to_numpy(), events.tops[:, 0, 3])


@pytest.mark.parametrize(
    ("file_format", "kind", "fold"),
    [("root", "TTree", "int32_t"), ("rntuple", "ROOT::RNTuple", "std::int32_t")],
)
def test_a_root_file_holds_the_events_as_lists(
    dataset: Dataset, tmp_path: Path, file_format: Literal["root", "rntuple"], kind: str, fold: str
) -> None:
    path = tmp_path / "copy.root"
    write_copy(dataset, file_format, path)
    with uproot.open(path) as file:
        assert file.classname_of("events") == kind
        _same_events(file["events"].arrays(), dataset.events())
        types = {name: file["events"][name].typename for name in file["events"].keys()}  # noqa: SIM118
        # ROOT takes integers of 8 bits for characters.
        assert not any("int8_t" in each for each in types.values())
        assert types["fold"] == fold


def test_an_rntuple_has_a_cluster_for_each_part(dataset: Dataset, tmp_path: Path) -> None:
    write_copy(dataset, "rntuple", tmp_path / "copy.root")
    with uproot.open(tmp_path / "copy.root") as file:
        assert len(file["events"].cluster_summaries) == 3


def test_a_parquet_file_holds_the_events_as_lists(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "copy.parquet"
    write_copy(dataset, "parquet", path)
    file = pq.ParquetFile(path, page_checksum_verification=True)
    assert file.num_row_groups == 3
    assert not any(field.nullable for field in file.schema_arrow)
    _same_events(ak.from_parquet(path), dataset.events())


def test_an_npz_file_holds_the_arrays(dataset: Dataset, tmp_path: Path) -> None:
    paths = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for path in paths:
        write_copy(dataset, "npz", path)
    with np.load(paths[0]) as copy:
        arrays = dataset.events().arrays()
        assert set(copy.files) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(copy[name], array)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_preprocess_makes_the_copies_that_are_asked_for(
    dataset: Dataset, ntuple: Path, config: DileptonDataConfig
) -> None:
    directory = dataset.path.parent
    names = {dataset.path.name, "file-digests.json"}
    assert {path.name for path in directory.iterdir()} == names
    asked = DileptonDataConfig.model_validate(
        {**config.model_dump(), "copies": ["root", "rntuple"]}
    )
    assert build(asked, {"ttbar": [ntuple]}, directory).path == dataset.path
    copies = {f"{dataset.manifest.digest}{end}" for end in (".root", ".rntuple.root")}
    assert {path.name for path in directory.iterdir()} == names | copies
