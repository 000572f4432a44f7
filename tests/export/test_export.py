import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from keras import ops

from exporting import FLAT, about_ttbar, exported_network
from rootflow.config import FoldsConfig
from rootflow.dataset import Events
from rootflow.errors import RootflowError, UsageError
from rootflow.export.writing import Export
from rootflow.exported.session import open_session
from small_network import small_network
from toy_events import UNITS


def metadata(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def test_three_files_say_what_they_may_be_applied_to(exported: Export) -> None:
    stem = "ttbar_small_applied_to_fold0of5"
    assert exported.named_path.name == f"{stem}.onnx"
    assert exported.files[FLAT].name == f"{stem}_flat.onnx"
    assert exported.table_path.name == f"{stem}.json"
    assert {path.name for path in exported.named_path.parent.iterdir()} == {
        f"{stem}.onnx", f"{stem}_flat.onnx", f"{stem}.json",
    }  # fmt: skip


def test_both_variants_are_proven_for_every_multiplicity(exported: Export) -> None:
    proven = {(row["variant"], row["sample"]) for row in exported.parity}
    labels = [*(f"{jets} jets" for jets in range(2, 9)), "2 to 8 jets"]
    assert proven == {(variant, jets) for variant in ("named", "flat") for jets in labels}
    assert max(row["probability"] for row in exported.parity) <= 1e-5
    assert max(row["momentum"] for row in exported.parity) <= 1e-3


def test_the_metadata_say_where_the_model_comes_from(exported: Export) -> None:
    for path in (exported.named_path, exported.files[FLAT]):
        said = metadata(path)
        assert said["rootflow.provenance.dataset"] == "0123456789abcdef"
        assert said["rootflow.provenance.run_id"] == "run-of-the-training"
        assert said["rootflow.opset"] == "17"
        assert said["rootflow.fold_held_out"] == "0"
        assert said["rootflow.fold_count"] == "5"
        assert said["rootflow.fold_scheme"] == "hash"
        assert "fold 0 of 5" in said["rootflow.may_be_applied_to"]
    assert metadata(exported.named_path)["rootflow.units"] == "GeV"


def test_the_contract_beside_the_files_is_that_in_the_metadata(exported: Export) -> None:
    contract = json.loads(exported.table_path.read_text())
    for variant, path in (("named", exported.named_path), ("flat", exported.files[FLAT])):
        assert contract["files"][variant] == path.name
        assert contract[variant] == json.loads(metadata(path)["rootflow.contract"])
    assert contract["parity"] == exported.parity


@pytest.mark.parametrize("variant", ["named", "flat"])
def test_the_contract_is_of_the_tensors_in_the_file(exported: Export, variant: str) -> None:
    contract = json.loads(exported.table_path.read_text())
    session = open_session(exported.named_path.parent / contract["files"][variant])
    types = {"float32": "tensor(float)", "bool": "tensor(bool)"}
    for part, tensors in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        assert [
            (each["name"], types[each["type"]], each["shape"]) for each in contract[variant][part]
        ] == [(tensor.name, tensor.type, tensor.shape) for tensor in tensors]


def test_the_flat_file_has_what_the_ntuple_production_reads(exported: Export) -> None:
    said = metadata(exported.files[FLAT])
    assert float(said["NN_padding_value"]) == -999
    assert int(said["NN_max_jets"]) == 8
    assert said["input_names"] == "jet_inputs,lep_inputs,met_inputs"
    assert said["jet_inputs"] == "jet_pt,jet_eta,jet_phi,jet_e,jet_b_tag"
    assert said["lep_inputs"] == "lep_pt,lep_eta,lep_phi,lep_e,lep_pid"
    assert said["met_inputs"] == "met_met,met_phi"
    assert said["output_names"] == "assignment,regression"
    assert (said["assignment_shape"], said["regression_shape"]) == ("8,2", "2,3")
    slots = json.loads(said["flat_input"])
    assert slots[3] == {"offset": 3, "name": "jet_e[0]", "unit": "MeV"}
    (flat_input,) = open_session(exported.files[FLAT]).get_inputs()
    assert (flat_input.name, flat_input.shape) == ("flat_input", ["batch", len(slots)])


def test_the_flat_file_on_an_event_filled_by_hand(exported: Export, real_events: Events) -> None:
    event = real_events.take(slice(0, 1))
    jets = np.full((8, 5), -999.0)
    found = int(event.jet_mask.sum())
    to_mev = np.array([1000, 1, 1, 1000, 1])
    jets[:found] = event.jets[0, :found] * to_mev
    leptons = np.abs(event.leptons[0] * to_mev)
    leptons[:, 1:3] = event.leptons[0, :, 1:3]
    filled = np.concatenate([jets.ravel(), leptons.ravel(), event.met[0] * [1000, 1]])

    assignment, regression = open_session(exported.files[FLAT]).run(
        ["assignment", "regression"], {"flat_input": filled[None].astype(np.float32)}
    )
    joint, momenta = open_session(exported.named_path).run(
        ["assignment", "neutrinos"], event.inputs()
    )
    np.testing.assert_allclose(assignment[0, :, 0], joint[0].max(axis=1), atol=1e-5)
    np.testing.assert_allclose(assignment[0, :, 1], joint[0].max(axis=0), atol=1e-5)
    np.testing.assert_allclose(regression, momenta * 1000, rtol=1e-3, atol=1)


def test_the_example_is_of_real_events(exported: Export, real_events: Events) -> None:
    np.testing.assert_array_equal(exported.input_example["jets"], real_events.jets[:5])
    names = list(exported.output_example)
    said = open_session(exported.model.SerializeToString()).run(names, exported.input_example)
    for name, values in zip(names, said, strict=True):
        np.testing.assert_allclose(values, exported.output_example[name], rtol=1e-4, atol=1e-5)


def test_features_of_the_event_come_last(real_events: Events, tmp_path: Path) -> None:
    few = real_events.take(slice(0, 500))
    extra = np.stack([few.jets[:, 0, 3], few.jets[:, 0, 1]], axis=-1)
    events = Events(
        features=few.features | {"event": ("ht", "sphericity")},
        **(few.arrays() | {"event": extra}),
    )
    units = UNITS | {"event": {"ht": "GeV", "sphericity": "none"}}
    network = small_network(event_features=2)
    made = exported_network(network, events, tmp_path / "onnx", units=units)
    said = metadata(made.files[FLAT])
    assert said["input_names"] == "jet_inputs,lep_inputs,met_inputs,global_event_inputs"
    assert json.loads(said["flat_input"])[-2:] == [
        {"offset": 52, "name": "ht", "unit": "MeV"},
        {"offset": 53, "name": "sphericity", "unit": "none"},
    ]
    assert list(made.input_example) == ["jets", "jet_mask", "leptons", "met", "event"]


def test_a_model_that_onnx_runs_otherwise_leaves_nothing(
    real_events: Events, tmp_path: Path
) -> None:
    # What is rounding in the hidden layer is everything after this.
    chaotic = small_network(momenta=lambda momenta: 100.0 * ops.sin(1e6 * momenta))
    with pytest.raises(RootflowError, match=r"nothing is exported: ttbar_small_.* at batch"):
        exported_network(chaotic, real_events, tmp_path / "onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_there_is_not_touched(real_events: Events, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there already"):
        exported_network(small_network(), real_events, tmp_path)


@pytest.mark.parametrize(
    ("folds", "stem"),
    [
        (FoldsConfig(count=2, held_out=0, scheme="parity"), "ttbar_network_applied_to_even"),
        (FoldsConfig(count=2, held_out=1, scheme="parity"), "ttbar_network_applied_to_odd"),
        (
            FoldsConfig(count=5, held_out=0, scheme="modulo"),
            "ttbar_network_applied_to_fold0of5_modulo",
        ),
        (FoldsConfig(count=2, held_out=1), "ttbar_network_applied_to_fold1of2"),
        (FoldsConfig(count=5, held_out=3), "ttbar_network_applied_to_fold3of5"),
    ],
)
def test_a_name_says_what_the_model_was_not_trained_on(folds: FoldsConfig, stem: str) -> None:
    assert about_ttbar(folds=folds, name="network").stem == stem
