from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from exporting import FLAT
from rootflow.dataset import Events
from rootflow.errors import InputError
from rootflow.exported.contract import Feature, Tensor
from rootflow.methods.conformance import check_method
from rootflow.methods.exported import OnnxMethod, feeds_of
from sealed_files import some_contract

if TYPE_CHECKING:
    from rootflow.export.writing import Export


@pytest.fixture(scope="module")
def unseen(real_events: Events) -> Events:
    return real_events.take(real_events.fold == 0)


@pytest.fixture(scope="module")
def reconstructor(exported: "Export") -> OnnxMethod:
    return OnnxMethod(exported.named_path, name="small")


def test_it_keeps_the_contract(reconstructor: OnnxMethod, unseen: Events) -> None:
    full = np.flatnonzero(unseen.jet_mask.all(axis=1))[:1]
    check_method(reconstructor, unseen.take(np.append(np.arange(200), full)))


def test_it_says_what_the_network_says(exported: "Export", unseen: Events) -> None:
    from rootflow.config import FoldsConfig
    from rootflow.methods.trained import TrainedMethod
    from small_network import small_network

    few = unseen.take(slice(0, 1500))
    onnx = OnnxMethod(exported.named_path, name="onnx").answer(few)
    network = TrainedMethod("keras", small_network(), FoldsConfig(), few.features)
    answers = network.answer(few)
    assert np.mean(onnx.assignment == answers.assignment) > 0.999
    np.testing.assert_allclose(onnx.scores, answers.scores, atol=1e-5)
    np.testing.assert_allclose(onnx.neutrinos, answers.neutrinos, rtol=1e-3, atol=1e-3)


def test_events_of_the_training_are_refused(exported: "Export", real_events: Events) -> None:
    reconstructor = OnnxMethod(exported.named_path, name="small")
    with pytest.raises(InputError, match=r"small was trained on the folds of 1 of these 1 events"):
        reconstructor.answer(real_events.take(real_events.fold == 3).take(slice(0, 1)))


def test_events_of_the_training_by_name(exported: "Export", real_events: Events) -> None:
    reconstructor = OnnxMethod(exported.named_path, name="small", allow_seen_events=True)
    assert len(reconstructor.answer(real_events.take(slice(0, 9))).scores) == 9


def test_another_number_of_slots_is_refused(reconstructor: OnnxMethod, unseen: Events) -> None:
    arrays = unseen.arrays() | {"jets": unseen.jets[:, :6], "jet_mask": unseen.jet_mask[:, :6]}
    with pytest.raises(InputError, match="takes 8 jet slots, these events have 6"):
        reconstructor.answer(Events(features=unseen.features, **arrays))


def test_other_features_are_refused(reconstructor: OnnxMethod, unseen: Events) -> None:
    features = unseen.features | {"met": ("pt", "angle")}
    with pytest.raises(
        InputError, match=r"takes .*met: pt, phi; these events have .*met: pt, angle"
    ):
        reconstructor.answer(Events(features=features, **unseen.arrays()))


def test_the_flat_variant_is_refused(exported: "Export") -> None:
    with pytest.raises(InputError, match="flat variant"):
        OnnxMethod(exported.files[FLAT], name="small")


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(exported: "Export", tmp_path: Path, kept: float) -> None:
    content = exported.named_path.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=r"cut\.onnx: ") as refusal:
        OnnxMethod(path, name="small")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"<html></html>", b"\x00" * 100, b"not a model\n" * 50])
def test_what_is_not_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "page.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a whole ONNX file"):
        OnnxMethod(path, name="small")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.onnx"):
        OnnxMethod(tmp_path / "absent.onnx", name="small")


def test_a_file_of_another_program_is_refused(exported: "Export", tmp_path: Path) -> None:
    import onnx

    path = tmp_path / "other.onnx"
    proto = onnx.load(exported.named_path)
    del proto.metadata_props[:]
    onnx.save(proto, path)
    with pytest.raises(InputError, match="without rootflow's metadata"):
        OnnxMethod(path, name="small")


def test_metadata_of_another_version_are_refused(exported: "Export", tmp_path: Path) -> None:
    import onnx

    path = tmp_path / "older.onnx"
    proto = onnx.load(exported.named_path)
    onnx.helper.set_model_props(proto, {"rootflow.contract": '{"rootflow_version": "0.0.1"}'})
    onnx.save(proto, path)
    with pytest.raises(InputError, match="export the model again"):
        OnnxMethod(path, name="small")


def test_events_go_in_in_the_units_of_the_contract() -> None:
    met = Tensor(
        name="met",
        type="float32",
        shape=("batch", 2),
        meaning="",
        features=(Feature(name="pt", unit="MeV"), Feature(name="phi", unit="rad")),
    )
    mask = Tensor(name="jet_mask", type="bool", shape=("batch", 1), meaning="")
    inputs = {"met": np.float32([[50, 1]]), "jet_mask": np.array([[True]])}
    feeds = feeds_of(some_contract(inputs=(mask, met)), inputs)
    np.testing.assert_array_equal(feeds["met"], np.float32([[50_000, 1]]))
    assert feeds["met"].dtype == np.float32
    assert feeds["jet_mask"].dtype == bool
