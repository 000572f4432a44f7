"""Events of a file chunk by chunk, without a dataset, against its dataset."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

import rootflow.ntuple.four_leptons.reading
from rootflow.config import FoldingConfig, FourLeptonSelectionConfig, LabelledDataConfig
from rootflow.dataset import build
from rootflow.dataset.four_leptons import chunks
from rootflow.errors import UsageError

SELECTION = FourLeptonSelectionConfig()


def test_chunks_are_the_events_of_the_dataset_in_the_order_of_the_file(
    h4l_files: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = h4l_files["VBFH"][0]
    config = LabelledDataConfig.model_validate(
        {
            "samples": {"VBFH": {"label": "signal"}},
            "weights": {"negative": "keep", "luminosity_fb_inverse": 10},
            "folds": {"count": 3},
        }
    )
    expected = build(config, {"VBFH": [path]}, tmp_path).events()
    monkeypatch.setattr(rootflow.ntuple.four_leptons.reading, "CHUNK_BYTES", 50_000)
    parts = list(chunks(path, "atlas_open_data", SELECTION, FoldingConfig(count=3)))
    assert len(parts) > 3
    selected = np.concatenate([mask for _, mask in parts])
    assert len(selected) == 1000
    assert selected.sum() == len(expected) < 1000
    assert [len(events) for events, _ in parts] == [mask.sum() for _, mask in parts]
    for name in ("leptons", "event", "event_number", "fold", "jets"):
        found = np.concatenate([getattr(events, name) for events, _ in parts])
        np.testing.assert_array_equal(found, getattr(expected, name))
    assert parts[0][0].features == expected.features
    assert parts[0][0].label is None


def test_without_selection_every_event_with_four_leptons_is_there(
    collision_files: list[Path],
) -> None:
    counts = [
        (len(events), len(mask))
        for path in collision_files
        for events, mask in chunks(path, "atlas_open_data")
    ]
    assert np.sum(counts, axis=0).tolist() == [832, 832]


def test_a_selection_that_the_map_cannot_do(collision_files: list[Path]) -> None:
    with pytest.raises(UsageError, match="does not name triggers"):
        next(chunks(collision_files[0], "flat_four_leptons", SELECTION))


def test_lists_of_roots_own_are_read(open_data_file: Path) -> None:
    """The published file holds vectors; its leading leptons are as uproot alone reads them."""
    parts = [events.leptons for events, _ in chunks(open_data_file, "atlas_open_data")]
    with uproot.open(open_data_file) as file:
        tree = file["mini"]
        assert tree["lep_pt"].typename == "std::vector<float>"
        pt = np.sort(ak.to_numpy(tree["lep_pt"].array()), axis=1)[:, ::-1]
    assert len(pt) == 39
    np.testing.assert_allclose(np.concatenate(parts)[..., 0], pt / 1000, rtol=1e-6)
