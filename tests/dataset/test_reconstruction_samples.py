"""Several samples of dileptonic events, with cross sections, collisions and a trigger."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from ntuples import Branches, write_ntuple
from rootflow.config.data import DileptonDataConfig
from rootflow.errors import InputError
from small_datasets import build

TRUTH = ("Ttbar_MC", "event_jet", "weight_mc")


@pytest.fixture(scope="module")
def fired(branches: Branches) -> np.ndarray:
    return np.arange(len(branches["eventNumber"])) % 3 > 0


def _config(folder: Path, **data: object) -> DileptonDataConfig:
    trigger = {"base": "topcptoolkit", "triggers": ["trig_e", "trig_mu"], "may_lack": ["runNumber"]}
    trigger |= {"identity": ["runNumber", "eventNumber"], "systematic_weights": {"up": ["w_up"]}}
    (folder / "map.yaml").write_text(yaml.safe_dump(trigger))
    samples = {
        "ttbar": {"cross_section_pb": 88, "sum_of_weights": 1e4, "title": "$t\\bar t$"},
        "data": {"label": "data", "files": ["data.root"]},
    }
    return DileptonDataConfig.model_validate(
        {
            "samples": samples,
            "branch_map": str(folder / "map.yaml"),
            "cuts": {"trigger": "trig_e | trig_mu"},
            "weights": {"negative": "keep", "luminosity_fb_inverse": 2},
            **data,
        }
    )


def _files(folder: Path, branches: Branches, fired: np.ndarray) -> dict[str, list[Path]]:
    up = np.linspace(0.5, 1.5, len(fired)).astype(np.float32)
    both = {**branches, "trig_e": fired.astype(int), "trig_mu": np.zeros(len(fired), int)}
    real = {name: array for name, array in both.items() if not name.startswith(TRUTH)}
    real |= {"runNumber": np.full(len(fired), 7), "eventNumber": np.arange(len(fired))}
    return {
        "ttbar": [write_ntuple(folder / "ttbar.root", {**both, "w_up": up})],
        "data": [write_ntuple(folder / "data.root", real)],
    }


def test_samples_collisions_and_a_trigger(
    branches: Branches, fired: np.ndarray, tmp_path: Path
) -> None:
    config = _config(tmp_path, repeated_events="keep")
    dataset = build(config, _files(tmp_path, branches, fired), tmp_path / "datasets")
    simulated, data = dataset.manifest.samples
    assert [cut.name for cut in simulated.cutflow][-2:] == [
        "both W bosons decay to a neutrino (truth)",
        "trigger",
    ]
    assert [cut.name for cut in data.cutflow][-1] == "trigger"
    events = dataset.events()
    assert events.sample is not None
    assert events.label is not None
    assert events.assignment is not None
    assert events.neutrinos is not None
    real = events.sample == 1
    assert events.label.tolist() == np.where(real, -1, 0).tolist()
    assert len(events) - real.sum() == simulated.events == fired.sum()
    np.testing.assert_allclose(events.weight, np.where(real, 1, 88 * 2000 / 1e4))
    assert (events.assignment[real] == -1).all()
    assert (events.assignment[~real] >= 0).any()
    assert (events.neutrinos[real] == 0).all()
    assert events.systematic_weights is not None
    assert (events.systematic_weights["up"][real] == 1).all()
    assert len(np.unique(events.systematic_weights["up"][~real])) > 100
    every = range(config.folds.count)
    assert dataset.simulated_in(every).tolist() == np.flatnonzero(~real).tolist()


def test_simulation_is_no_collisions(branches: Branches, fired: np.ndarray, tmp_path: Path) -> None:
    files = _files(tmp_path, branches, fired)
    again = dict(branches, weight_mc_NOSYS=np.full(len(fired), 3.0))
    again |= {"trig_e": fired.astype(int), "trig_mu": fired.astype(int)}
    files["data"] = [write_ntuple(tmp_path / "no_data.root", again)]
    with pytest.raises(InputError, match="'weight_mc_NOSYS' is 3, as in simulation"):
        build(_config(tmp_path), files, tmp_path / "datasets")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"files": ["a.root"]}, "give files or samples, not both"),
        (
            {"weights": {"negative": "keep", "luminosity_fb_inverse": 1, "cross_section_pb": 3}},
            "cross_section_pb and the number of sum_of_weights are of one sample",
        ),
        ({"samples": {"x": {"label": "data"}}}, "real data is not simulated: name its files"),
    ],
)
def test_what_cannot_be(tmp_path: Path, data: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _config(tmp_path, **data)
