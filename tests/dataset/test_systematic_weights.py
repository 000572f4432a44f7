"""Systematic weights of the ntuple, from the file to the matrices to unfold with."""

from pathlib import Path

import numpy as np
import pytest
import uproot
import yaml

from ntuples import Branches, write_ntuple
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import Dataset
from rootflow.errors import InputError
from rootflow.evaluation.results import varied_weights
from small_datasets import build, digest, plans_of

MAP = {
    "base": "topcptoolkit",
    "weights": ["weight_mc_NOSYS"],
    "systematic_weights": {
        "scale_up": ["weight_mc_NOSYS", "weight_scale_up"],
        "scale_down": ["weight_scale_down"],
    },
}


@pytest.fixture(scope="module")
def weights(branches: Branches) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    names = ("weight_mc_NOSYS", "weight_scale_up", "weight_scale_down")
    return {name: random.uniform(0.5, 1.5, len(branches["eventNumber"])) for name in names}


@pytest.fixture(scope="module")
def ntuple(
    branches: Branches, weights: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return write_ntuple(tmp_path_factory.mktemp("ntuple") / "varied.root", {**branches, **weights})


@pytest.fixture
def settings(config: DileptonDataConfig, tmp_path: Path) -> DileptonDataConfig:
    path = tmp_path / "varied.yaml"
    path.write_text(yaml.safe_dump(MAP, sort_keys=False))
    return DileptonDataConfig.model_validate(
        {**config.model_dump(), "branch_map": str(path), "selection": {"jet_pt_min_gev": 40}}
    )


@pytest.fixture
def dataset(settings: DileptonDataConfig, ntuple: Path, tmp_path: Path) -> Dataset:
    return build(settings, {"ttbar": [ntuple]}, tmp_path)


def test_each_event_has_its_own(
    dataset: Dataset, branches: Branches, weights: dict[str, np.ndarray]
) -> None:
    events = dataset.events()
    place = {number: row for row, number in enumerate(branches["eventNumber"].to_numpy())}
    rows = [place[number] for number in events.event_number]
    assert len(rows) < len(place)  # a selection is between the two
    found = varied_weights(events)
    assert list(found) == ["scale_up", "scale_down"]
    nominal = weights["weight_mc_NOSYS"][rows]
    np.testing.assert_allclose(events.weight, nominal)
    np.testing.assert_allclose(found["scale_up"], nominal * weights["weight_scale_up"][rows])
    np.testing.assert_allclose(found["scale_down"], weights["weight_scale_down"][rows])


def test_they_are_scaled_as_the_weight_is(
    settings: DileptonDataConfig, dataset: Dataset, ntuple: Path, tmp_path: Path
) -> None:
    normalised = DileptonDataConfig.model_validate(
        {
            **settings.model_dump(),
            "weights": {
                "negative": "keep",
                "cross_section_pb": 800.0,
                "luminosity_fb_inverse": 1.0,
                "sum_of_weights": "as_read",
            },
            "copies": ["root"],
        }
    )
    scaled = build(normalised, {"ttbar": [ntuple]}, tmp_path / "scaled")
    (sample,) = scaled.manifest.samples
    assert sample.normalisation is not None
    factor = sample.normalisation.factor
    assert factor != pytest.approx(1)
    before, after = (
        {"nominal": each.weight, **varied_weights(each)}
        for each in (dataset.events(), scaled.events())
    )
    for name, weight in before.items():
        np.testing.assert_allclose(after[name], factor * weight)
    with uproot.open(scaled.path.with_name(f"{scaled.path.name}.root")) as file:
        copied = file["events"]["weight_scale_up"].array(library="np")
    np.testing.assert_array_equal(copied, after["scale_up"])


def test_one_that_is_no_number_is_refused(
    settings: DileptonDataConfig, branches: Branches, weights: dict[str, np.ndarray], tmp_path: Path
) -> None:
    broken = weights["weight_scale_down"].copy()
    broken[7] = np.nan
    path = write_ntuple(
        tmp_path / "broken.root", {**branches, **weights, "weight_scale_down": broken}
    )
    with pytest.raises(InputError, match=r"weight_scale_down.*nan, which is no weight"):
        build(settings, {"ttbar": [path]}, tmp_path)


def test_maps_without_them_ask_the_question_that_they_asked_before(
    config: DileptonDataConfig, settings: DileptonDataConfig, ntuple: Path
) -> None:
    files = {"ttbar": [ntuple]}
    (plan,) = plans_of(config, files)
    assert "systematic_weights" not in plan.question["branch_map"]
    assert digest(config, files) != digest(settings, files)
