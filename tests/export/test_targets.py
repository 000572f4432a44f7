import json
from typing import Any

import numpy as np
import onnx
import pytest
from onnxruntime import InferenceSession

from rootflow.dataset import Events
from rootflow.export.layout import layout_of, write_flat
from rootflow.export.writing import Prepared
from rootflow.exported.session import open_session
from rootflow.ntuple import entries_of
from toy_events import UNITS

TO_MEV = np.float32([1000, 1, 1, 1000, 1])


def session_of(prepared: Prepared, target: Any) -> InferenceSession:
    return open_session(prepared.contents[target, "float32"], threads=1)


def metadata(prepared: Prepared, target: Any) -> dict[str, str]:
    proto = onnx.ModelProto.FromString(prepared.contents[target, "float32"])
    return {entry.key: entry.value for entry in proto.metadata_props}


def named_says(prepared: Prepared, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    said: list[np.ndarray] = session_of(prepared, "named").run(["assignment", "neutrinos"], inputs)
    return said


@pytest.mark.parametrize("jets", [2, 4])
def test_athena_is_asked_for_one_event_with_as_many_rows_as_jets(
    for_every_target: Prepared, toys: Events, jets: int
) -> None:
    event = toys.take(np.flatnonzero(toys.jet_mask.sum(axis=1) == jets)[:1])
    session = session_of(for_every_target, "athena")
    leptons = event.leptons[0] * TO_MEV
    leptons[:, 4] = np.abs(leptons[:, 4])
    answers = session.run(
        None,
        {
            "event_features": event.met * np.float32([1000, 1]),
            "jet_features": event.jets[0, :jets] * TO_MEV,
            "lepton_features": leptons,
        },
    )
    said = dict(zip([tensor.name for tensor in session.get_outputs()], answers, strict=True))
    joint, momenta = named_says(for_every_target, event.inputs())
    assert {name: array.shape for name, array in said.items()} == {
        "smallnet1_b": (jets,),
        "smallnet1_bbar": (jets,),
        "smallnet1_neutrino": (3,),
        "smallnet1_antineutrino": (3,),
    }
    assert {array.dtype for array in answers} == {np.dtype(np.float32)}
    np.testing.assert_allclose(said["smallnet1_b"], joint[0].max(axis=1)[:jets], atol=1e-5)
    np.testing.assert_allclose(said["smallnet1_bbar"], joint[0].max(axis=0)[:jets], atol=1e-5)
    np.testing.assert_allclose(said["smallnet1_neutrino"], momenta[0, 0] * 1000, rtol=1e-3, atol=1)
    np.testing.assert_allclose(
        said["smallnet1_antineutrino"], momenta[0, 1] * 1000, rtol=1e-3, atol=1
    )


def test_athena_may_have_more_jets_than_count_or_none(
    for_every_target: Prepared, toys: Events
) -> None:
    event = toys.take(np.flatnonzero(toys.jet_mask.all(axis=1))[:1])
    session = session_of(for_every_target, "athena")
    jets = event.jets[0] * TO_MEV
    softer = jets[-1:] * np.float32([0.5, 1, 1, 0.5, 1])
    feeds = {
        "event_features": event.met * np.float32([1000, 1]),
        "lepton_features": event.leptons[0] * TO_MEV,
    }
    whole = session.run(None, feeds | {"jet_features": jets})
    more = session.run(None, feeds | {"jet_features": np.concatenate([jets, softer, softer])})
    assert len(more[0]) == 6
    np.testing.assert_array_equal(more[0], [*whole[0], 0, 0])
    np.testing.assert_array_equal(more[2], whole[2])
    none = session.run(None, feeds | {"jet_features": jets[:0]})
    assert none[0].shape == (0,)
    assert np.isfinite(none[2]).all()


def test_athena_reads_the_configuration_of_salt(for_every_target: Prepared) -> None:
    config = json.loads(metadata(for_every_target, "athena")["gnn_config"])
    assert config["onnx_model_version"] == "v1"
    session = session_of(for_every_target, "athena")
    named = [*config["inputs"], *config["input_sequences"]]
    assert [(each["name"], len(each["variables"])) for each in named] == [
        (tensor.name, tensor.shape[1]) for tensor in session.get_inputs()
    ]
    every = [variable for each in named for variable in each["variables"]]
    assert {(variable["offset"], variable["scale"]) for variable in every} == {(0.0, 1.0)}
    assert [v["name"] for v in config["input_sequences"][0]["variables"]] == [
        "jet_pt", "jet_eta", "jet_phi", "jet_e", "jet_b_tag",
    ]  # fmt: skip
    names = [tensor.name for tensor in session.get_outputs()]
    assert config["output_names"] == names
    # What is before the first _ is taken for the model's name, and has to be one.
    assert {name.partition("_")[0] for name in names} == {config["model_name"]} == {"smallnet1"}
    every_tensor = [*session.get_inputs(), *session.get_outputs()]
    assert {tensor.type for tensor in every_tensor} == {"tensor(float)"}
    assert {len(tensor.shape) for tensor in session.get_outputs()} == {1}


@pytest.mark.parametrize("count", [1, 5])
def test_topcptoolkit_asks_for_batches_of_one_flat_input(
    for_every_target: Prepared, toys: Events, count: int
) -> None:
    events = toys.take(np.flatnonzero(toys.jet_mask.sum(axis=1) == 2)[:count])
    flat = write_flat(events.inputs(), layout_of(toys, UNITS, {"leptons": "charge"}, toys.inputs()))
    session = session_of(for_every_target, "topcptoolkit-flat")
    ((tensor,), outputs) = session.get_inputs(), session.get_outputs()
    assert (tensor.name, tensor.type, tensor.shape) == (
        "flat_input",
        "tensor(float)",
        ["batch", 32],
    )
    assert {output.type for output in outputs} == {"tensor(float)"}
    assignment, regression = session.run(["assignment", "regression"], {"flat_input": flat})
    joint, momenta = named_says(for_every_target, events.inputs())
    np.testing.assert_allclose(assignment[..., 0], joint.max(axis=2), atol=1e-5)
    np.testing.assert_array_equal(assignment[:, 2:], 0)
    np.testing.assert_allclose(regression, momenta * 1000, rtol=1e-3, atol=1)


def test_the_named_file_may_take_mev(
    for_every_target: Prepared, in_mev_and_int8: Prepared, toys: Events
) -> None:
    inputs = toys.take(slice(0, 50)).inputs()
    mev = {
        "jets": inputs["jets"] * TO_MEV,
        "jet_mask": inputs["jet_mask"],
        "leptons": inputs["leptons"] * TO_MEV,
        "met": inputs["met"] * np.float32([1000, 1]),
    }
    wanted = named_says(for_every_target, inputs)
    for said, expected in zip(named_says(in_mev_and_int8, mev), wanted, strict=True):
        np.testing.assert_allclose(said, expected, rtol=1e-3, atol=1e-3)
    assert metadata(in_mev_and_int8, "named")["rootflow.units"] == "MeV"
    contract = in_mev_and_int8.contracts["named", "float32"]
    jets = next(tensor for tensor in contract.inputs if tensor.name == "jets")
    assert [feature.unit for feature in jets.features] == ["MeV", "none", "rad", "MeV", "none"]
    assert jets.features[0].range is not None
    assert jets.features[0].range[1] == pytest.approx(1000 * toys.jets[..., 0].max())
    neutrinos = next(tensor for tensor in contract.outputs if tensor.name == "neutrinos")
    assert {feature.unit for feature in neutrinos.features} == {"GeV"}
    np.testing.assert_allclose(in_mev_and_int8.input_example["jets"], mev["jets"][:5], rtol=1e-6)


def test_every_file_says_in_plain_words_what_goes_in(for_every_target: Prepared) -> None:
    said = metadata(for_every_target, "named")
    assert said["input_names"] == "jets,jet_mask,leptons,met"
    assert said["jets"] == "pt,eta,phi,energy,btag"
    assert (said["NN_padding_value"], said["NN_max_jets"]) == ("0", "4")
    assert said["output_names"] == "assignment,neutrinos"
    assert (said["assignment_shape"], said["neutrinos_shape"]) == ("4,4", "2,3")
    said = metadata(for_every_target, "athena")
    assert said["input_names"] == "event_features,jet_features,lepton_features"
    assert said["smallnet1_b_shape"] == "n_jets"


def test_the_contract_says_where_it_comes_from(for_every_target: Prepared) -> None:
    for contract in for_every_target.contracts.values():
        assert contract.contract_version == 2
        assert contract.dataset == "0123456789abcdef"
        assert contract.git_commit is None
        assert contract.branch_map == entries_of("topcptoolkit")
        assert contract.selection["selection"]["jets_min"] == 2
        assert contract.libraries["onnx"] == onnx.__version__
        assert contract.metrics["validation_loss"] == 0.5
        rows = [r for r in for_every_target.parity if r["variant"] == contract.variant]
        assert contract.metrics["parity_probability"] == max(r["probability"] for r in rows)


def test_ranges_are_those_of_what_goes_in(for_every_target: Prepared, toys: Events) -> None:
    (flat,) = for_every_target.contracts["topcptoolkit-flat", "float32"].inputs
    features = {feature.name: feature for feature in flat.features}
    real = toys.jets[toys.jet_mask]
    for name, column, factor in (("jet_pt[3]", 0, 1000), ("jet_eta[0]", 1, 1)):
        found = features[name].range
        assert found == pytest.approx(
            (real[:, column].min() * factor, real[:, column].max() * factor)
        )
    assert features["lep_pid[0]"].range == features["lep_pid[1]"].range == (11, 13)
    assert features["jet_pt[0]"].padding == -999
    assert features["lep_pt[0]"].padding is None
