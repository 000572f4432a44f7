"""What is not a number comes into no dataset: the error says where it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from four_lepton_ntuples import FLAT_SELECTION, flat_table, read_mini, write_csv
from ntuples import Branches, read_branches, write_ntuple
from rootflow.config.data import DileptonDataConfig, FourLeptonDataConfig
from rootflow.dataset import Dataset
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.errors import InputError
from rootflow.ntuple import load_branch_map
from small_datasets import build

DATA = Path(__file__).parents[2] / "data"
KEEP = {"negative": "keep"}
NAN, INF = float("nan"), float("inf")
EVENTS = 60


@pytest.fixture(scope="module")
def ttbar() -> Branches:
    return read_branches(DATA / "ttbar" / "ttbar_s42_000.root", EVENTS)


@pytest.fixture(scope="module")
def mini() -> Branches:
    return read_mini(DATA / "h4l" / "ZZ_s42_000.root", EVENTS)


def _of_ttbar(directory: Path, branches: Branches, **data: Any) -> Dataset:
    path = write_ntuple(directory / "in.root", branches)
    config = DileptonDataConfig.model_validate({"weights": KEEP, **data})
    return build(config, {"ttbar": [path]}, directory / "datasets")


def _of_h4l(directory: Path, branches: Branches, **data: Any) -> Dataset:
    path = write_ntuple(directory / "in.root", branches, tree="mini")
    weights = {**KEEP, "luminosity_fb_inverse": 10, "sum_of_weights": "per_file"}
    settings = {"samples": {"ZZ": {"label": "background"}}, "weights": weights}
    config = FourLeptonDataConfig.model_validate(settings | data)
    return build(config, {"ZZ": [path]}, directory / "datasets")


def _refused(directory: Path, make: Callable[[], Dataset], *says: str) -> None:
    with pytest.raises(InputError) as failure:
        make()
    for words in says:
        assert words in str(failure.value)
    assert "\n" not in str(failure.value)
    assert not [path for path in directory.glob("datasets/*") if path.is_dir()]


def _spoilt(array: Any, value: float) -> tuple[Any, int]:
    """Return the array with one number changed, in an event that has one, and which it is."""
    values: Any = ak.to_list(array)
    if array.ndim == 1:
        event = EVENTS // 2
        values[event] = value
        return np.array(values), event
    event = next(place for place, of_event in enumerate(values) if place > 5 and of_event)
    values[event][0] = value
    return ak.Array(values), event


def _is_float(array: Any) -> bool:
    return any(kind in str(ak.type(array)) for kind in ("float", "bool"))


TTBAR_BRANCHES = load_branch_map("topcptoolkit").as_in(()).branches()
H4L = FourLeptons(selection=FourLeptonDataConfig.model_fields["selection"].default)
H4L_BRANCHES = EventReader(H4L, "atlas_open_data", collisions=False).branch_map.branches()


@pytest.mark.parametrize("branch", TTBAR_BRANCHES)
def test_every_branch_of_ttbar_holds_numbers(tmp_path: Path, ttbar: Branches, branch: str) -> None:
    if not _is_float(ttbar[branch]):
        return  # integers: none of them is NaN
    # 999: of a particle along the beam, as some write it.
    for value in (-INF, 999.0) if branch.endswith("eta") else (NAN,):
        array, event = _spoilt(ttbar[branch], value)
        number = ttbar["eventNumber"][event]
        _refused(
            tmp_path,
            lambda array=array: _of_ttbar(tmp_path, {**ttbar, branch: array}),  # type: ignore[misc]
            f"in.root, event {number}: branch ",
            f"'{branch}' is {value:g}",
            f"(entry {event})",
        )


@pytest.mark.parametrize("branch", H4L_BRANCHES)
def test_every_branch_of_h4l_holds_numbers(tmp_path: Path, mini: Branches, branch: str) -> None:
    if not _is_float(mini[branch]):
        return
    for value in (INF, 999.0) if branch.endswith("eta") else (NAN,):
        array, event = _spoilt(mini[branch], value)
        number = mini["eventNumber"][event]
        _refused(
            tmp_path,
            lambda array=array: _of_h4l(tmp_path, {**mini, branch: array}),  # type: ignore[misc]
            f"in.root, event {number} (runNumber 284500, channelNumber 363490): branch ",
            f"'{branch}' is {value:g}",
            f"(entry {event})",
        )


def test_the_entry_is_that_of_the_file_in_every_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ttbar: Branches
) -> None:
    monkeypatch.setattr("rootflow.ntuple.reading.read_chunks.__defaults__", (4000,))
    array, event = _spoilt(ttbar["met_phi_NOSYS"], NAN)
    _refused(
        tmp_path, lambda: _of_ttbar(tmp_path, {**ttbar, "met_phi_NOSYS": array}), f"entry {event})"
    )


def test_the_product_of_weights_is_a_number(tmp_path: Path, mini: Branches) -> None:
    large = {name: np.full(EVENTS, 1e200) for name in ("mcWeight", "scaleFactor_ELE")}
    _refused(
        tmp_path,
        lambda: _of_h4l(tmp_path, mini | large),
        "branch 'scaleFactor_ELE' is 1e+200: with the others inf, which is no weight (entry 0)",
    )


def test_sums_of_weights_are_numbers(tmp_path: Path, ttbar: Branches) -> None:
    large = {**ttbar, "weight_mc_NOSYS": np.full(EVENTS, 1e308)}
    _refused(tmp_path, lambda: _of_ttbar(tmp_path, large), "in.root: the sum of the weights", "inf")


@pytest.mark.parametrize(
    ("cross_section", "luminosity", "total"),
    [(1e300, 1e300, 1.0), (1.0, 1.0, 5e-324), (5e-324, 1e-300, 1.0)],
)
def test_weights_are_not_scaled_to_infinity_nor_to_nothing(
    tmp_path: Path, ttbar: Branches, cross_section: float, luminosity: float, total: float
) -> None:
    weights = KEEP | {
        "cross_section_pb": cross_section,
        "luminosity_fb_inverse": luminosity,
        "sum_of_weights": total,
    }
    _refused(
        tmp_path,
        lambda: _of_ttbar(tmp_path, ttbar, weights=weights),
        "luminosity",
        "weights cannot be scaled by it",
    )


@pytest.mark.parametrize(("weight", "luminosity"), [(1e300, 1e8), (1e-300, 1e-30)])
def test_a_weight_that_overflows_as_it_is_scaled(
    tmp_path: Path, ttbar: Branches, weight: float, luminosity: float
) -> None:
    scaled = KEEP | {
        "cross_section_pb": 1.0,
        "luminosity_fb_inverse": luminosity,
        "sum_of_weights": 1.0,
    }
    branches = {**ttbar, "weight_mc_NOSYS": np.full(EVENTS, weight)}
    _refused(tmp_path, lambda: _of_ttbar(tmp_path, branches, weights=scaled), "sample ttbar: ")


def test_energies_that_a_table_does_not_have_are_checked(tmp_path: Path, mini: Branches) -> None:
    table = flat_table(mini)
    table["lep2_eta"][3] = 999.0
    del table["lep2_E"]
    path = write_csv(tmp_path / "in.csv", table)
    config = FourLeptonDataConfig.model_validate(
        {
            "samples": {"ZZ": {"label": "background"}},
            "branch_map": "flat_four_leptons",
            "selection": FLAT_SELECTION,
            "weights": {**KEEP, "luminosity_fb_inverse": 10},
        }
    )
    _refused(
        tmp_path,
        lambda: build(config, {"ZZ": [path]}, tmp_path / "datasets"),
        "'lep2_eta' is 999",
        "(entry 3)",
    )
