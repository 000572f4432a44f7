"""Events of a file chunk by chunk, without a dataset, against its dataset."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from ntuples import entries_of
from rootflow.config import FoldingConfig
from rootflow.config.data import FourLeptonDataConfig, FourLeptonSelectionConfig
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.errors import UsageError
from small_datasets import build

SELECTION = FourLeptonSelectionConfig()


def test_chunks_are_the_events_of_the_dataset_in_the_order_of_the_file(
    h4l_files: dict[str, list[Path]], tmp_path: Path
) -> None:
    path = h4l_files["VBFH"][0]
    config = FourLeptonDataConfig.model_validate(
        {
            "samples": {"VBFH": {"label": "signal"}},
            "weights": {"negative": "keep", "luminosity_fb_inverse": 10},
            "folds": {"count": 3},
        }
    )
    expected = build(config, {"VBFH": [path]}, tmp_path).events()
    reader = EventReader(FourLeptons(selection=SELECTION), "atlas_open_data")
    parts = entries_of(reader, path, FoldingConfig(count=3), at_most=200)
    assert len(parts) > 3
    selected = np.concatenate([part.selected for part in parts])
    assert len(selected) == 1000
    assert selected.sum() == len(expected) < 1000
    assert [len(part.events) for part in parts] == [part.selected.sum() for part in parts]
    for name in ("leptons", "event", "event_number", "fold"):
        found = np.concatenate([getattr(part.events, name) for part in parts])
        np.testing.assert_array_equal(found, getattr(expected, name))
    assert parts[0].events.features == expected.features
    assert parts[0].events.label is None


def test_without_selection_every_event_with_four_leptons_is_there(
    collision_files: list[Path],
) -> None:
    reader = EventReader(FourLeptons(selection=None), "atlas_open_data")
    counts = [
        (len(part.events), len(part.selected))
        for path in collision_files
        for part in entries_of(reader, path)
    ]
    assert np.sum(counts, axis=0).tolist() == [832, 832]


def test_a_selection_that_the_map_cannot_do() -> None:
    with pytest.raises(UsageError, match="does not name triggers"):
        EventReader(FourLeptons(selection=SELECTION), "flat_four_leptons")


def test_lists_of_roots_own_are_read(open_data_file: Path) -> None:
    """The published file holds vectors; its leading leptons are as uproot alone reads them."""
    reader = EventReader(FourLeptons(selection=None), "atlas_open_data")
    parts = [part.events.leptons for part in entries_of(reader, open_data_file)]
    with uproot.open(open_data_file) as file:
        tree = file["mini"]
        assert tree["lep_pt"].typename == "std::vector<float>"
        pt = np.sort(ak.to_numpy(tree["lep_pt"].array()), axis=1)[:, ::-1]
    assert len(pt) == 39
    np.testing.assert_allclose(np.concatenate(parts)[..., 0], pt / 1000, rtol=1e-6)
