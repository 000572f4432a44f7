from pathlib import Path
from typing import Any

import pytest
import yaml

from rootflow.errors import UsageError
from rootflow.ntuple.four_leptons import (
    FourLeptonMap,
    Wanted,
    features_of,
    load_four_lepton_map,
)
from rootflow.ntuple.four_leptons.reading import branches_of
from rootflow.physics.four_leptons import FEATURES

FLAT = load_four_lepton_map("flat_four_leptons")


@pytest.mark.parametrize("name", ["atlas_open_data", "flat_four_leptons"])
def test_shipped_maps_give_the_same_features(name: str) -> None:
    features = features_of(load_four_lepton_map(name))
    names = {
        collection: [(feature.name, feature.unit) for feature in of_collection]
        for collection, of_collection in features.items()
    }
    assert names == {
        "jets": [],
        "leptons": [
            ("pt", "GeV"),
            ("eta", "none"),
            ("phi", "rad"),
            ("energy", "GeV"),
            ("pdg_id", "none"),
        ],
        "met": [],
        "event": [("jet_n", "none"), *FEATURES],
    }
    assert [feature.branches for feature in features["event"]] == [("jet_n",)] + [()] * 16


def test_a_flat_map_stands_for_the_columns_of_four_leptons() -> None:
    wanted = Wanted(weights=True, cross_section=True, sum_of_weights=True)
    columns = set(branches_of(FLAT, wanted))
    assert {f"lep{slot}_{name}" for slot in range(1, 5) for name in ("pt", "E", "pdgId")} < columns
    assert {"totalWeight", "lep_m_llll", "eventNumber"} < columns
    assert "totalWeight" not in branches_of(FLAT, Wanted())


def test_a_file_may_lack_what_the_map_says() -> None:
    there = set(branches_of(FLAT, Wanted())) - {"lep3_E", "eventNumber", "lep_m_ll_12"}
    found = FLAT.as_in(sorted(there))
    assert found.event_number is None
    assert found.leptons[0].energy is None
    assert set(found.masses.columns()) == set(FLAT.masses.columns()) - {"mass_12"}
    less = there - {"lep1_pt"}
    assert "lep1_pt" in branches_of(FLAT.as_in(sorted(less)), Wanted())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slots": None}, r"\{slot\} and masses are for flat tables"),
        ({"slots": [1, 2, 3]}, r"slots"),
        ({"slots": [1, 2, 3, 3]}, r"slots: each can be named once"),
        ({"leptons": [{"pdg_id": "id", "pt": {"branch": "pt", "unit": "GeV"}, "eta": "eta",
                       "phi": "phi"}]}, r"slots: one collection, with \{slot\}"),
        ({"weights": ["mcWeight"]}, r"expected_events are weights"),
        ({"may_lack": ["jet_n"]}, r"may_lack: 'jet_n' is no branch of"),
        ({"expected_events": {"branch": "totalWeight"}}, r"luminosity_fb_inverse: Field required"),
        ({"jet_number": "jet_n"}, r"jet_number: Extra inputs"),
    ],
)  # fmt: skip
def test_what_a_map_may_not_say_is_named(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = tmp_path / "mine.yaml"
    settings = FLAT.model_dump(mode="json", exclude_none=True)
    path.write_text(yaml.safe_dump(settings | changes))
    with pytest.raises(UsageError, match=message) as error:
        load_four_lepton_map(str(path))
    assert "mine.yaml" in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mass": {"branch": "m", "unit": "MeV"}}, "energy or mass, or neither"),
        ({"pdg_id": 13, "charge": None}, "branch of the charge, or of a signed pdg_id"),
        ({"pdg_id": 15}, "pdg_id"),
    ],
)
def test_what_leptons_may_not_say_is_named(changes: dict[str, Any], message: str) -> None:
    settings = load_four_lepton_map("atlas_open_data").model_dump()
    settings["leptons"][0] |= changes
    with pytest.raises(ValueError, match=message):
        FourLeptonMap.model_validate(settings)


def test_the_maps_of_other_events_are_not_offered() -> None:
    with pytest.raises(UsageError, match="shipped maps: atlas_open_data, flat_four_leptons;"):
        load_four_lepton_map("topcptoolkit")


def test_the_map_in_the_documentation_is_valid(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "branch-maps.md"
    blocks = page.read_text().split("```yaml\n")[2:]
    assert len(blocks) == 2
    for block in blocks:
        path = tmp_path / "map.yaml"
        path.write_text(block.partition("```")[0])
        load_four_lepton_map(str(path))
