import re
from pathlib import Path

import pytest
import yaml

from rootflow.errors import UsageError
from rootflow.ntuple import features_of, load_branch_map

MINIMAL = """
tree: events
event_number: number
jets:
  pt: {branch: j_pt, unit: GeV}
  eta: j_eta
  phi: j_phi
  mass: {branch: j_m, unit: GeV}
  btag: j_b
  extra:
    width: {branch: j_width}
leptons:
  - pt: {branch: l_pt, unit: GeV}
    eta: l_eta
    phi: l_phi
    energy: {branch: l_e, unit: MeV}
    pdg_id: l_id
met:
  pt: {branch: met, unit: GeV}
  phi: met_phi
event:
  scalar_sum: {branch: ht, unit: MeV}
"""


def _load(directory: Path, text: str) -> object:
    path = directory / "map.yaml"
    path.write_text(text)
    return load_branch_map(str(path))


def test_a_map_of_ones_own_names_its_branches_and_features(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(MINIMAL)
    branch_map = load_branch_map(str(path))
    jets = {"j_pt", "j_eta", "j_phi", "j_m", "j_b", "j_width"}
    leptons = {"l_pt", "l_eta", "l_phi", "l_e", "l_id"}
    assert set(branch_map.branches()) == jets | leptons | {"number", "met", "met_phi", "ht"}
    features = features_of(branch_map)
    assert [(feature.name, feature.unit) for feature in features["jets"]] == [
        ("pt", "GeV"),
        ("eta", "none"),
        ("phi", "rad"),
        ("energy", "GeV"),
        ("btag", "none"),
        ("width", "none"),
    ]
    assert features["jets"][3].branches == ("j_m",)
    assert features["leptons"][4].branches == ("l_id",)
    assert [(feature.name, feature.unit) for feature in features["event"]] == [
        ("scalar_sum", "GeV")
    ]


@pytest.mark.parametrize("name", ["topcptoolkit", "atlas_open_data"])
def test_shipped_maps_are_valid(name: str) -> None:
    features = features_of(load_branch_map(name))
    assert [feature.name for feature in features["jets"]] == ["pt", "eta", "phi", "energy", "btag"]
    assert [feature.name for feature in features["leptons"]] == [
        "pt",
        "eta",
        "phi",
        "energy",
        "pdg_id",
    ]


def test_the_map_in_the_documentation_is_valid(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "branch-maps.md"
    text = page.read_text().partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "map.yaml"
    path.write_text(text)
    assert "nubar_px" in load_branch_map(str(path)).branches()


def test_what_a_map_says_is_taken_as_its_file_is(tmp_path: Path) -> None:
    entries = {"base": "topcptoolkit", "tree": "other"}
    written = yaml.safe_dump(entries)
    assert load_branch_map(entries) == _load(tmp_path, written)
    assert list(entries) == ["base", "tree"]
    with pytest.raises(UsageError, match="branch map given: tree: "):
        load_branch_map({**entries, "tree": 1})


def test_an_unknown_name_gets_the_near_one_and_the_list() -> None:
    with pytest.raises(UsageError, match=r"did you mean topcptoolkit.*atlas_open_data"):
        load_branch_map("topcptoolkits")


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        ("  pt: {branch: met, unit: GeV}", "  pt: met", r"met\.pt\.unit: Field required"),
        ("  eta: j_eta", "  eta: {branch: j_eta, unit: GeV}", r"jets\.eta\.unit"),
        ("  phi: j_phi", "  phi: {branch: j_phi, unit: degrees}", r"jets\.phi\.unit"),
        ("  btag: j_b", "  btags: j_b", r"jets\.btags: Extra"),
        ("  mass: {branch: j_m, unit: GeV}", "", r"jets: .*either energy or mass"),
        (
            "    width: {branch: j_width}",
            "    energy: j_width",
            r"jets: .*extra\.energy: there is a quantity",
        ),
        (
            "    width: {branch: j_width}",
            "    btag: j_width",
            r"jets: .*extra\.btag: there is",
        ),
        ("    pdg_id: l_id", "    pdg_id: 11", r"leptons\.0: .*branch of the charge"),
        ("tree: events", "tree: [", r"not YAML"),
    ],
)
def test_what_a_map_may_not_say_is_named(
    tmp_path: Path, line: str, instead: str, message: str
) -> None:
    assert line in MINIMAL
    with pytest.raises(UsageError, match=message) as error:
        _load(tmp_path, MINIMAL.replace(line, instead))
    assert "\n" not in str(error.value)
    assert "map.yaml" in str(error.value)


def test_the_bare_name_of_a_feature_is_that_of_a_plain_number(tmp_path: Path) -> None:
    text = MINIMAL.replace("{branch: j_width}", "j_width").replace("{branch: ht, unit: MeV}", "ht")
    path = tmp_path / "map.yaml"
    path.write_text(text)
    features = features_of(load_branch_map(str(path)))
    for feature, branch in ((features["jets"][5], "j_width"), (features["event"][0], "ht")):
        assert (feature.unit, feature.branches) == ("none", (branch,))


def test_candidates_must_be_told_apart(tmp_path: Path) -> None:
    momentum = {name: {"branch": f"nu_{name}", "unit": "GeV"} for name in ("px", "py", "pz")}
    settings = yaml.safe_load(MINIMAL)
    settings["truth"] = {
        "neutrinos": {"neutrino": [momentum, momentum], "antineutrino": [momentum]}
    }
    with pytest.raises(UsageError, match=r"each needs a pdg_id"):
        _load(tmp_path, yaml.safe_dump(settings))


def test_a_momentum_is_one_kind_of_coordinates(tmp_path: Path) -> None:
    momentum = {"px": {"branch": "x", "unit": "GeV"}, "eta": "eta", "phi": "phi"}
    settings = yaml.safe_load(MINIMAL)
    settings["truth"] = {"neutrinos": {"neutrino": [momentum], "antineutrino": [momentum]}}
    with pytest.raises(UsageError, match=r"pt, eta and phi, or px, py and pz"):
        _load(tmp_path, yaml.safe_dump(settings))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(UsageError, match=re.escape(str(path))):
        load_branch_map(str(path))
