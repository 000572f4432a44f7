"""Datasets of labelled samples of four-lepton events."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot
import yaml

from four_lepton_ntuples import FLAT_SELECTION, flat_table, read_mini, write_csv, write_two_files
from ntuples import Branches, write_ntuple
from rootflow.config.data import FourLeptonDataConfig
from rootflow.dataset import Dataset, open_dataset
from rootflow.errors import InputError, UsageError
from rootflow.ntuple import load_branch_map
from small_datasets import build, digest

SAMPLES: dict[str, dict[str, Any]] = {
    "ggH": {"label": "signal", "title": "$gg \\to H$"},
    "VBFH": {"label": "signal"},
    "ZZ": {"label": "background"},
    "data": {"label": "data", "files": ["collisions.root"]},
}

Files = Mapping[str, Sequence[Path]]


def _config(files: Files, **settings: Any) -> FourLeptonDataConfig:
    samples = {name: SAMPLES[name] for name in files}
    weights = {"negative": "keep", "luminosity_fb_inverse": 10}
    return FourLeptonDataConfig.model_validate({"samples": samples, "weights": weights} | settings)


@pytest.fixture(scope="module")
def all_files(
    h4l_files: dict[str, list[Path]],
    collision_files: list[Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Files:
    two = write_two_files(tmp_path_factory.mktemp("ggH"), h4l_files["ggH"][0])
    return {**h4l_files, "ggH": two, "data": collision_files}


@pytest.fixture(scope="module")
def dataset(all_files: Files, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Return every event there is: 10,000 simulated ones and 832 pseudo-collisions."""
    return build(_config(all_files), all_files, tmp_path_factory.mktemp("datasets"))


@pytest.fixture(scope="module")
def mini(h4l_files: dict[str, list[Path]]) -> Branches:
    needed = load_branch_map("atlas_open_data").model_dump_json()
    branches = read_mini(h4l_files["ZZ"][0], 300)
    return {name: array for name, array in branches.items() if f'"{name}"' in needed}


@pytest.fixture(scope="module")
def small(mini: Branches, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return a sample of signal and one of background of 150 events each."""
    directory = tmp_path_factory.mktemp("small")
    halves = {"ggH": slice(0, 150), "ZZ": slice(150, 300)}
    return {name: [_mini(directory / f"{name}.root", mini, half)] for name, half in halves.items()}


def _mini(path: Path, branches: Branches, events: slice, **changes: Any) -> Path:
    chosen = {name: array[events] for name, array in (branches | changes).items()}
    return write_ntuple(path, chosen, tree="mini")


def test_samples_and_labels(dataset: Dataset, all_files: Files) -> None:
    events, manifest = dataset.events(), dataset.manifest
    assert [sample.name for sample in manifest.samples] == list(all_files)
    assert [sample.title for sample in manifest.samples] == ["$gg \\to H$", "VBFH", "ZZ", "data"]
    assert events.label is not None
    assert events.sample is not None
    for place, (sample, label) in enumerate(zip(manifest.samples, (1, 1, 0, -1), strict=True)):
        mine = events.sample == place
        assert mine.sum() == sample.events == sample.cutflow[-1].events > 0
        assert (events.label[mine] == label).all()
        assert events.weight[mine].sum() == pytest.approx(sample.sum_of_weights)
        assert sample.cutflow[-1].sum_of_weights == pytest.approx(sample.sum_of_weights)
    assert (np.diff(events.sample) >= 0).all()
    n_files = sum(len(files) for files in all_files.values())
    assert np.unique(events.file_index).tolist() == list(range(n_files))
    assert events.leptons.shape == (len(events), 4, 5)
    assert set(events.inputs()) == {"leptons", "event"}
    assert dataset.features["event"][:3] == ("jet_n", "m4l", "mass_12")


def test_what_is_read_is_all_there_is(dataset: Dataset) -> None:
    read = [sample.cutflow[0].events for sample in dataset.manifest.samples]
    assert read == [4_000, 1_000, 5_000, 832]


def test_weights_are_the_events_expected_in_data(dataset: Dataset, all_files: Files) -> None:
    """Before cuts they add up to cross section x luminosity x acceptance of the ntuples."""
    for sample in dataset.manifest.samples[:3]:
        weights, sums, sections = [], [], []
        for path in all_files[sample.name]:
            raw = read_mini(path)
            product = raw["mcWeight"].to_numpy().astype(np.float64)
            for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER"):
                product *= raw[f"scaleFactor_{name}"].to_numpy()
            weights.append(product.sum())
            sums.append(float(raw["SumWeights"][0]))
            sections.append(float(raw["XSection"][0]))
        section = np.average(sections, weights=sums)
        expected = section * 10_000 * sum(weights) / sum(sums)
        assert sample.cutflow[0].sum_of_weights == pytest.approx(expected, rel=1e-6)
        assert sample.normalisation is not None
        assert sample.normalisation.sum_of_weights == sum(sums)
    yields = [sample.sum_of_weights for sample in dataset.manifest.samples]
    assert yields == pytest.approx([16.28, 1.31, 293.7, 486.0], rel=0.01)


def test_collisions_have_weight_one_and_two_z_bosons(dataset: Dataset) -> None:
    events = dataset.events()
    assert events.label is not None
    data = events.take(events.label == -1)
    assert (data.weight == 1).all()
    m4l = data.event[:, dataset.features["event"].index("m4l")]
    assert np.sum(m4l > 180) > 0.7 * len(data)
    assert np.sum((m4l > 120) & (m4l < 130)) > np.sum((m4l > 130) & (m4l < 160))


def test_a_flat_table_gives_the_same_dataset(
    small: Files, h4l_files: dict[str, list[Path]], tmp_path: Path
) -> None:
    full = read_mini(h4l_files["ZZ"][0], 300)
    halves = {"ggH": slice(0, 150), "ZZ": slice(150, 300)}
    tables = {
        name: [
            write_csv(tmp_path / f"{name}.csv", flat_table({k: a[half] for k, a in full.items()}))
        ]
        for name, half in halves.items()
    }
    weights = {"negative": "keep", "luminosity_fb_inverse": 35}
    settings = {"selection": FLAT_SELECTION, "weights": weights}
    lists = build(_config(small, **settings), small, tmp_path)
    flat = build(_config(tables, branch_map="flat_four_leptons", **settings), tables, tmp_path)
    assert len(lists) > 200
    for name, array in lists.events().arrays().items():
        if name == "identity":
            assert flat.events().identity is None  # such a table has no run
        elif name == "weight":
            np.testing.assert_allclose(flat.events().weight, array, rtol=1e-6)
        else:
            np.testing.assert_array_equal(getattr(flat.events(), name), array, err_msg=name)
    assert flat.manifest.samples[0].normalisation is not None
    assert flat.manifest.samples[0].normalisation.factor == 3.5


def test_samples_may_have_maps_of_their_own(small: Files, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "ZZ.csv", flat_table(read_mini(small["ZZ"][0])))
    samples = {"ggH": SAMPLES["ggH"], "ZZ": {**SAMPLES["ZZ"], "branch_map": "flat_four_leptons"}}
    files = {"ggH": small["ggH"], "ZZ": [table]}
    config = _config(files, samples=samples, selection=FLAT_SELECTION)
    manifest = build(config, files, tmp_path).manifest
    assert [sample.branch_map for sample in manifest.samples] == [
        "atlas_open_data",
        "flat_four_leptons",
    ]
    assert manifest.features["leptons"][0].branches == ("lep_pt", "lep{slot}_pt")


@pytest.mark.parametrize("names", [["data"], ["ggH"], ["ZZ", "data"]])
def test_data_alone_and_one_class_alone_are_datasets(
    names: list[str], all_files: Files, tmp_path: Path
) -> None:
    files = {name: all_files[name][:1] for name in names}
    assert len(build(_config(files), files, tmp_path)) > 0


def test_a_class_with_one_event_is_a_dataset(mini: Branches, small: Files, tmp_path: Path) -> None:
    events = build(_config(small), small, tmp_path / "all").events()
    number = events.event_number[events.file_index == 0][0]
    place = int(np.argmax(mini["eventNumber"].to_numpy() == number))
    one = _mini(tmp_path / "one.root", mini, slice(place, place + 1))
    files = {"ggH": [one], "ZZ": small["ZZ"]}
    dataset = build(_config(files), files, tmp_path)
    assert dataset.manifest.samples[0].events == 1


def test_the_same_twice_is_the_same_bytes(small: Files, tmp_path: Path) -> None:
    one, two = (build(_config(small), small, tmp_path / name) for name in ("one", "two"))
    for path in one.path.iterdir():
        assert path.read_bytes() == (two.path / path.name).read_bytes()
    assert digest(_config(small), small) == one.manifest.digest
    assert open_dataset(one.path).manifest == one.manifest


@pytest.mark.parametrize(
    "change",
    [
        {"samples": {"ggH": {"label": "background"}, "ZZ": SAMPLES["ZZ"]}},
        {"samples": {"ggH": {"label": "signal", "title": "other"}, "ZZ": SAMPLES["ZZ"]}},
        {"samples": {"ggH": {"label": "signal", "cross_section_pb": 2}, "ZZ": SAMPLES["ZZ"]}},
        {"selection": {"z2_mass_gev": [13, 115]}},
        {"weights": {"negative": "keep", "luminosity_fb_inverse": 36}},
        {"folds": {"count": 3}},
    ],
)
def test_what_changes_the_dataset_changes_the_digest(small: Files, change: dict[str, Any]) -> None:
    assert digest(_config(small, **change), small) != digest(_config(small), small)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": {"negative": "drop", "luminosity_fb_inverse": 10, "class_balance": False}},
        {"copies": ["npz"]},
    ],
)
def test_what_training_does_with_weights_does_not(small: Files, change: dict[str, Any]) -> None:
    assert digest(_config(small, **change), small) == digest(_config(small), small)


def test_copies_have_samples_and_labels(small: Files, tmp_path: Path) -> None:
    copies = ["root", "rntuple", "parquet", "npz"]
    dataset = build(_config(small, copies=copies), small, tmp_path)
    events = dataset.events()
    with uproot.open(dataset.path.with_suffix(".root")) as file:
        columns = file["events"].arrays()
        assert str(file["samples"]) == "ggH,ZZ"
    with uproot.open(dataset.path.with_suffix(".rntuple.root")) as file:
        ntuple = file["events"].arrays()
        assert str(file["samples"]) == "ggH,ZZ"
    parquet = pq.read_table(dataset.path.with_suffix(".parquet"))
    assert parquet.schema.metadata[b"samples"] == b"ggH,ZZ"
    with np.load(dataset.path.with_suffix(".npz")) as arrays:
        for name in ("sample", "label", "weight"):
            expected = getattr(events, name)
            np.testing.assert_array_equal(columns[name].to_numpy(), expected)
            np.testing.assert_array_equal(ntuple[name].to_numpy(), expected)
            np.testing.assert_array_equal(parquet[name].to_numpy(), expected)
            np.testing.assert_array_equal(arrays[name], expected)
    np.testing.assert_array_equal(
        ak.to_regular(columns["lepton_pt"]).to_numpy(), events.leptons[..., 0]
    )
    np.testing.assert_array_equal(columns["event_m4l"].to_numpy(), events.event[:, 1])


def _refused(
    files: Files,
    directory: Path,
    message: str,
    kind: type[Exception] = InputError,
    **settings: Any,
) -> None:
    with pytest.raises(kind, match=message) as error:
        build(_config(files, **settings), files, directory / "datasets")
    assert "\n" not in str(error.value)
    left = directory / "datasets"
    assert {path.name for path in left.glob("*")} <= {"file-digests.json"}


@pytest.mark.parametrize("name", ["ZZ", "data"])
def test_a_sample_without_a_selected_event_shows_its_cutflow(
    name: str, all_files: Files, small: Files, tmp_path: Path
) -> None:
    path = all_files[name][0]
    raw = read_mini(path)
    raw["lep_charge"] = abs(raw["lep_charge"])
    needed = load_branch_map("atlas_open_data").model_dump_json()
    kept = {branch: array for branch, array in raw.items() if f'"{branch}"' in needed}
    spoilt = write_ntuple(tmp_path / "same_sign.root", kept, tree="mini")
    _refused(
        {"ggH": small["ggH"], name: [spoilt]},
        tmp_path,
        rf"sample {name}: no event is selected; .*all events: {len(raw['eventNumber'])}; "
        r"trigger: \d+; .*total charge zero: 0; two pairs",
    )


def test_a_sample_without_events(mini: Branches, small: Files, tmp_path: Path) -> None:
    empty = _mini(tmp_path / "empty.root", mini, slice(0, 0))
    _refused({"ggH": small["ggH"], "ZZ": [empty]}, tmp_path, r"empty\.root: it has no events$")


def test_collisions_as_background_are_noticed(
    all_files: Files, small: Files, tmp_path: Path
) -> None:
    _refused(
        {"ggH": small["ggH"], "ZZ": all_files["data"][:1]},
        tmp_path,
        r"data_A.*: the weights of all 39 events are zero.*label 'background', .* is 'data'",
    )


def test_one_file_in_two_samples(small: Files, tmp_path: Path) -> None:
    copy = Path(shutil.copy(small["ggH"][0], tmp_path / "copy.root"))
    _refused({"ggH": small["ggH"], "ZZ": [copy]}, tmp_path, "copy.root: has the same content as")


def test_maps_that_give_different_features(small: Files, tmp_path: Path) -> None:
    settings = load_branch_map("atlas_open_data").model_dump(mode="json", exclude_none=True)
    settings["event"] = {"met": {"branch": "met_et", "unit": "MeV"}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(settings))
    samples = {
        "ggH": SAMPLES["ggH"],
        "ZZ": {**SAMPLES["ZZ"], "branch_map": str(tmp_path / "mine.yaml")},
    }
    _refused(
        small,
        tmp_path,
        "the branch maps of ggH and ZZ give different features",
        UsageError,
        samples=samples,
    )


def test_a_cut_that_a_map_cannot_do(small: Files, tmp_path: Path) -> None:
    _refused(
        small,
        tmp_path,
        r"map flat_four_leptons does not name triggers, ptcone30, .*\(trigger=false, ptcone30_over",
        UsageError,
        branch_map="flat_four_leptons",
    )
