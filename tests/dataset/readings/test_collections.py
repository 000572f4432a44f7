"""Events of any collections, from ROOT files to a dataset, against awkward."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import yaml

from ntuples import entries_of, write_ntuple
from rootflow.config import CollectionsDataConfig
from rootflow.dataset import Dataset
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.reading import Collections
from rootflow.errors import UsageError
from small_datasets import build, digest

N_EVENTS = 300
MAP: dict[str, Any] = {
    "event_number": "number",
    "triggers": ["trig_tau", "trig_met"],
    "jets": {
        "pt": {"branch": "jet_pt", "unit": "GeV"},
        "eta": "jet_eta",
        "phi": "jet_phi",
        "mass": {"branch": "jet_m", "unit": "GeV"},
    },
    "collections": {
        "taus": {
            "pt": {"branch": "tau_pt", "unit": "MeV"},
            "eta": "tau_eta",
            "phi": "tau_phi",
            "extra": {"prongs": "tau_prongs", "share": "taus.pt / sum(taus.pt)"},
        }
    },
    "met": {"pt": {"branch": "met", "unit": "GeV"}, "phi": "met_phi"},
    "event": {"pile_up": "mu", "ht": {"expression": "sum(jets.pt)"}},
}
DATA: dict[str, Any] = {
    "slots": {"taus": 2, "jets": 3},
    "samples": {
        "signal": {"label": "higgs", "cross_section_pb": 2, "sum_of_weights": N_EVENTS},
        "Z": {"label": "z", "cross_section_pb": 5, "sum_of_weights": N_EVENTS},
        "W": {"label": "w", "cross_section_pb": 9, "sum_of_weights": N_EVENTS},
        "data": {"label": "data", "files": ["data.root"]},
    },
    "objects": {"jets": {"pt_min_gev": 30, "abs_eta_max": 2.0}},
    "features": {"met_over_ht": "where(n_jets > 0, met.pt / ht, 0)"},
    "cuts": {
        "trigger": "trig_tau | trig_met",
        "two taus": "n_taus >= 2",
        "hard": "leading(taus.pt, 2) > 25",
    },
    "weights": {"negative": "keep", "luminosity_fb_inverse": 3},
}


def _lists(random: np.random.Generator, kind: str, unit: float) -> dict[str, Any]:
    counts = random.integers(0, 5, N_EVENTS)
    total = int(counts.sum())
    values = {
        "pt": unit * (15 + random.exponential(30, total)),
        "eta": random.uniform(-2.5, 2.5, total),
        "phi": random.uniform(-3, 3, total),
    }
    values |= {"m": random.uniform(3, 9, total)} if kind == "jet" else {}
    values |= {"prongs": random.choice([1.0, 3.0], total)} if kind == "tau" else {}
    return {
        f"{kind}_{name}": ak.unflatten(each.astype(np.float32), counts)
        for name, each in values.items()
    }


def _branches(seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    scalars = {
        "met": random.uniform(5, 150, N_EVENTS).astype(np.float32),
        "met_phi": random.uniform(-3, 3, N_EVENTS).astype(np.float32),
        "mu": random.poisson(30, N_EVENTS).astype(np.float32),
        "trig_tau": random.integers(0, 2, N_EVENTS),
        "trig_met": random.integers(0, 2, N_EVENTS),
        "number": 1000 * seed + np.arange(N_EVENTS),
    }
    return _lists(random, "jet", 1) | _lists(random, "tau", 1000) | scalars


@pytest.fixture(scope="module")
def branches() -> dict[str, dict[str, Any]]:
    return {name: _branches(seed) for seed, name in enumerate(DATA["samples"], start=1)}


@pytest.fixture(scope="module")
def made(
    branches: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[CollectionsDataConfig, dict[str, list[Path]], Dataset]:
    folder = tmp_path_factory.mktemp("taus")
    (folder / "taus.yaml").write_text(yaml.safe_dump(MAP))
    config = CollectionsDataConfig.model_validate({**DATA, "branch_map": str(folder / "taus.yaml")})
    files = {
        name: [write_ntuple(folder / f"{name}.root", arrays, "events")]
        for name, arrays in branches.items()
    }
    return config, files, build(config, files, folder / "datasets")


def test_arrays_are_what_awkward_makes_of_the_file(
    branches: dict[str, dict[str, Any]],
    made: tuple[CollectionsDataConfig, dict[str, list[Path]], Dataset],
) -> None:
    dataset = made[2]
    events = dataset.events()
    start = 0
    for place, (name, arrays) in enumerate(branches.items()):
        taus = ak.zip({each: arrays[f"tau_{each}"] for each in ("pt", "eta", "phi", "prongs")})
        jets = ak.zip({each: arrays[f"jet_{each}"] for each in ("pt", "eta", "phi", "m")})
        taus = taus[ak.argsort(taus.pt, ascending=False)]
        jets = jets[(jets.pt >= 30) & (abs(jets.eta) <= 2)]
        jets = jets[ak.argsort(jets.pt, ascending=False)]
        fired = (arrays["trig_tau"] | arrays["trig_met"]) != 0
        two = ak.to_numpy(ak.num(taus) >= 2)
        hard = ak.to_numpy(ak.fill_none(ak.pad_none(taus.pt, 2)[:, 1], 0)) > 25_000
        kept = fired & two & hard
        counts = [fired, fired & two, kept]
        cutflow = dataset.manifest.samples[place].cutflow
        assert [cut.name for cut in cutflow] == ["all events", "trigger", "two taus", "hard"]
        assert [cut.events for cut in cutflow] == [N_EVENTS, *(int(each.sum()) for each in counts)]
        mine = events.take(slice(start, start + int(kept.sum())))
        start += len(mine)
        padded = ak.fill_none(ak.pad_none(taus.pt[kept], 2, clip=True), 0) / 1000
        np.testing.assert_allclose(mine.collections["taus"][..., 0], padded, rtol=1e-6)
        share = taus.pt / ak.sum(taus.pt, axis=1)
        shares = ak.fill_none(ak.pad_none(share[kept], 2, clip=True), 0)
        np.testing.assert_allclose(mine.collections["taus"][..., 5], shares, rtol=1e-5)
        assert (mine.masks["taus"].sum(axis=1) == 2).all()
        np.testing.assert_array_equal(
            mine.masks["jets"].sum(axis=1), np.minimum(ak.num(jets)[kept], 3)
        )
        ht = ak.to_numpy(ak.sum(jets.pt, axis=1))[kept]
        event = dict(zip(events.features["event"], mine.event.T, strict=True))
        np.testing.assert_allclose(event["ht"], ht, rtol=1e-5)
        expected = np.divide(arrays["met"][kept], ht, out=np.zeros_like(ht), where=ht > 0)
        np.testing.assert_allclose(event["met_over_ht"], expected, rtol=1e-5)
        np.testing.assert_array_equal(event["pile_up"], arrays["mu"][kept])
        np.testing.assert_array_equal(mine.sample, place)
        assert set(mine.label) == {(0, 1, 2, -1)[place]}
        weight = 1 if name == "data" else (2, 5, 9)[place] * 3000 / N_EVENTS
        np.testing.assert_allclose(mine.weight, weight)
    assert start == len(events) > 50


def test_inputs_are_the_collections_with_their_masks_in_order(
    made: tuple[CollectionsDataConfig, dict[str, list[Path]], Dataset],
) -> None:
    dataset = made[2]
    assert dataset.manifest.classes == ("higgs", "z", "w")
    assert list(dataset.events().inputs()) == [
        *("taus", "tau_mask", "jets", "jet_mask"),
        *("met", "event"),
    ]
    assert dataset.features["taus"] == ("pt", "eta", "phi", "energy", "prongs", "share")
    assert dataset.features["event"] == ("pile_up", "ht", "met_over_ht")
    assert {path.name for path in dataset.path.glob("tau*.npy")} == {"taus.npy", "tau_mask.npy"}


def test_entries_of_a_file_are_those_of_the_dataset(
    made: tuple[CollectionsDataConfig, dict[str, list[Path]], Dataset],
) -> None:
    config, files, dataset = made
    again = Collections.model_validate(dataset.manifest.reading)
    (read,) = entries_of(EventReader(again, config.branch_map), files["signal"][0], config.folds)
    mine = dataset.events(np.flatnonzero(dataset.events().sample == 0))
    for name in ("taus", "tau_mask", "jets", "event", "fold"):
        np.testing.assert_array_equal(read.events.arrays()[name], mine.arrays()[name])
    places = read.places["taus"]
    pt = read.events.collections["taus"][..., 0]
    assert (places >= 0).all()
    assert pt.shape == places.shape


@pytest.mark.parametrize(
    "changes",
    [
        {"cuts": {"trigger": "trig_tau"}},
        {"features": {}},
        {"objects": {}},
        {"slots": {"taus": 2}},
    ],
)
def test_each_setting_asks_another_question(
    made: tuple[CollectionsDataConfig, dict[str, list[Path]], Dataset], changes: dict[str, Any]
) -> None:
    config, files, dataset = made
    other = CollectionsDataConfig.model_validate(config.model_dump() | changes)
    assert digest(other, files) != dataset.manifest.digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slots": {"photons": 2}}, r"names no photons"),
        ({"objects": {"photons": {"pt_min_gev": 3}}}, r"data\.objects: .* names no photons"),
        ({"cuts": {"hard": "sum(jets.pt)"}}, r"data\.cuts\.hard: "),
        ({"cuts": {"hard": "sum(jets.ptt) > 3"}}, r"data\.cuts\.hard: .*jets\.pt"),
        ({"features": {"ht": "met.pt"}}, r"data\.features\.ht: there is a feature of that name"),
        ({"features": {"m2": "met.pt * met.pt"}}, r"data\.features\.m2: its unit is GeV\^2"),
        ({"cuts": {"all events": "met.pt > 3"}}, r"data\.cuts: the selection has a cut 'all ev"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    made: tuple[CollectionsDataConfig, dict[str, list[Path]], Dataset],
    tmp_path: Path,
    changes: dict[str, Any],
    message: str,
) -> None:
    config, files, _ = made
    other = CollectionsDataConfig.model_validate(config.model_dump() | changes)
    with pytest.raises(UsageError, match=message) as error:
        build(other, files, tmp_path)
    assert "\n" not in str(error.value)
