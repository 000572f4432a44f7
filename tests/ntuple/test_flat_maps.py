from pathlib import Path
from typing import Any

import pytest
import yaml

from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.errors import UsageError
from rootflow.ntuple import BranchMap, load_branch_map
from rootflow.physics.four_leptons import FEATURES

FLAT = load_branch_map("flat_four_leptons")


@pytest.mark.parametrize("name", ["atlas_open_data", "flat_four_leptons"])
def test_shipped_maps_give_the_same_features(name: str) -> None:
    features = EventReader(FourLeptons(selection=None), name).features
    names = {
        collection: [(feature.name, feature.unit) for feature in of_collection]
        for collection, of_collection in features.items()
    }
    assert names == {
        "leptons": [
            ("pt", "GeV"),
            ("eta", "none"),
            ("phi", "rad"),
            ("energy", "GeV"),
            ("pdg_id", "none"),
        ],
        "event": [("jet_n", "none"), *FEATURES],
    }
    assert [feature.branches for feature in features["event"]] == [("jet_n",)] + [()] * 16


def test_a_flat_map_stands_for_the_columns_of_four_leptons() -> None:
    columns = set(FLAT.branches())
    assert {f"lep{slot}_{name}" for slot in range(1, 5) for name in ("pt", "E", "pdgId")} < columns
    assert {"totalWeight", "lep_m_llll", "eventNumber"} < columns
    assert "totalWeight" not in FLAT.as_of_collisions().branches()


def test_a_file_may_lack_what_the_map_says() -> None:
    there = set(FLAT.as_of_collisions().branches()) - {"lep3_E", "eventNumber", "lep_m_ll_12"}
    found = FLAT.as_in(sorted(there))
    assert found.event_number is None
    assert found.leptons[0].energy is None
    assert set(found.masses) == set(FLAT.masses) - {"mass_12"}
    less = there - {"lep1_pt"}
    assert "lep1_pt" in FLAT.as_in(sorted(less)).branches()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slots": None}, r"\{slot\} and masses are for flat tables"),
        ({"slots": [1, 2, 3]}, r"masses: those of four slots"),
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
        load_branch_map(str(path))
    assert "mine.yaml" in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mass": {"branch": "m", "unit": "MeV"}}, "energy or mass, or neither"),
        ({"pdg_id": 13, "charge": None}, "branch of the charge, or of a signed pdg_id"),
        ({"pdg_id": 22}, "pdg_id"),
    ],
)
def test_what_leptons_may_not_say_is_named(changes: dict[str, Any], message: str) -> None:
    settings = load_branch_map("atlas_open_data").model_dump()
    settings["leptons"][0] |= changes
    with pytest.raises(ValueError, match=message):
        BranchMap.model_validate(settings)


def test_the_map_in_the_documentation_is_valid(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "branch-maps.md"
    blocks = [block.partition("```")[0] for block in page.read_text().split("```yaml\n")[1:]]
    flat = [block for block in blocks if "slots:" in block]
    assert flat
    for block in flat:
        path = tmp_path / "map.yaml"
        path.write_text(block)
        load_branch_map(str(path))
