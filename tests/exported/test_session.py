import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from rootflow import checksum
from rootflow.errors import InputError
from rootflow.exported import session
from rootflow.exported.contract import KEY
from rootflow.exported.session import open_exported
from sealed_files import sealed_file, some_contract, some_proto


@pytest.fixture
def never_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where onnxruntime gets to see the file."""

    def run(*_: Any) -> None:
        pytest.fail("onnxruntime has been given the file")

    monkeypatch.setattr(session, "open_session", run)


def refused(path: Path, fault: str) -> None:
    with pytest.raises(InputError, match=fault) as refusal:
        open_exported(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


def test_a_file_that_keeps_its_contract_is_run(tmp_path: Path) -> None:
    session, contract = open_exported(sealed_file(tmp_path / "sum.onnx"))
    (said,) = session.run(["y"], {"x": np.zeros((2, 3), np.float32)})
    np.testing.assert_array_equal(said, [[1, 2, 3]] * 2)
    assert contract == some_contract()


@pytest.mark.usefixtures("never_run")
def test_every_byte_counts(tmp_path: Path) -> None:
    content = sealed_file(tmp_path / "sum.onnx").read_bytes()
    altered = tmp_path / "altered.onnx"
    for place in range(len(content)):
        wrong = bytes([content[place] ^ 1])
        altered.write_bytes(content[:place] + wrong + content[place + 1 :])
        with pytest.raises(InputError, match=r"altered\.onnx: "):
            open_exported(altered)


@pytest.mark.usefixtures("never_run")
def test_every_truncation_is_found(tmp_path: Path) -> None:
    content = sealed_file(tmp_path / "sum.onnx").read_bytes()
    cut = tmp_path / "cut.onnx"
    for length in range(len(content)):
        cut.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"cut\.onnx: "):
            open_exported(cut)


@pytest.mark.usefixtures("never_run")
def test_a_contract_that_was_edited_is_refused(tmp_path: Path) -> None:
    path = sealed_file(tmp_path / "other_fold.onnx")
    content = path.read_bytes()
    assert b'"held_out":0' in content
    path.write_bytes(content.replace(b'"held_out":0', b'"held_out":1'))
    refused(path, "its checksum .* is not that of its content")


@pytest.mark.usefixtures("never_run")
def test_a_file_without_a_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "older.onnx"
    onnx.save(some_proto(**{KEY: some_contract().model_dump_json()}), path)
    refused(path, "has no checksum .* export the model again")


@pytest.mark.usefixtures("never_run")
def test_two_checksums_are_none(tmp_path: Path) -> None:
    path = tmp_path / "two.onnx"
    proto = some_proto(**{KEY: some_contract().model_dump_json()})
    for _ in range(2):
        proto.metadata_props.add(key=checksum.KEY, value=checksum.UNSEALED)
    onnx.save(proto, path)
    refused(path, "has no checksum")


@pytest.mark.usefixtures("never_run")
def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.onnx"
    onnx.save(some_proto(author="someone else"), path)
    refused(path, "without rootflow's metadata")


@pytest.mark.usefixtures("never_run")
@pytest.mark.parametrize("version", [0, 1, None, "2"])
def test_another_version_of_the_contract_is_named(tmp_path: Path, version: Any) -> None:
    said = json.loads(some_contract().model_dump_json())
    said["contract_version"] = version
    path = sealed_file(tmp_path / "newer.onnx", contract=json.dumps(said))
    refused(path, f"of version {version}, and this version of rootflow reads version 2")


@pytest.mark.usefixtures("never_run")
@pytest.mark.parametrize("text", ["", "no JSON", "[]", "1", '{"rootflow_version": "0.0.1"}'])
def test_a_contract_of_nothing_known_is_refused(tmp_path: Path, text: str) -> None:
    refused(sealed_file(tmp_path / "other.onnx", contract=text), "export the model again")


@pytest.mark.usefixtures("never_run")
@pytest.mark.parametrize("missing", ["task", "collections", "branch_map", "inputs"])
def test_what_a_contract_lacks_is_named(tmp_path: Path, missing: str) -> None:
    said = json.loads(some_contract().model_dump_json())
    del said[missing]
    path = sealed_file(tmp_path / "less.onnx", contract=json.dumps(said))
    refused(path, f"not what this version of rootflow reads .*{missing}")


@pytest.mark.usefixtures("never_run")
@pytest.mark.parametrize("part", ["inputs", "outputs"])
@pytest.mark.parametrize(
    "change", [{"name": "z"}, {"type": "int64"}, {"shape": ("batch", 4)}, {"shape": (1, 3)}]
)
def test_a_contract_of_other_tensors_is_refused(
    tmp_path: Path, part: str, change: dict[str, Any]
) -> None:
    (tensor,) = getattr(some_contract(), part)
    wrong = some_contract(**{part: (tensor.model_copy(update=change),)})
    path = sealed_file(tmp_path / "other.onnx", contract=wrong.model_dump_json())
    refused(path, r"its contract .* says .* and its graph has [xy] float32 \['batch', 3\]")


def outside(tensor: TensorProto, location: str) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


@pytest.mark.usefixtures("never_run")
@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "weights.bin"])
def test_data_of_other_files_are_never_read(tmp_path: Path, location: str) -> None:
    proto = some_proto()
    outside(proto.graph.initializer[0], location)
    path = sealed_file(tmp_path / "outside.onnx", proto)
    refused(path, rf"has data in another file \({location}\)")


@pytest.mark.usefixtures("never_run")
def test_data_of_other_files_are_found_in_graphs_within_graphs(tmp_path: Path) -> None:
    proto = some_proto()
    inner = some_proto().graph
    hidden = helper.make_tensor("hidden", TensorProto.FLOAT, [1], [0.0])
    outside(hidden, "../hidden.bin")
    inner.node.append(helper.make_node("Constant", [], ["c"], value=hidden))
    proto.graph.node.append(
        helper.make_node("If", ["x"], ["z"], then_branch=inner, else_branch=some_proto().graph)
    )
    refused(sealed_file(tmp_path / "nested.onnx", proto), r"another file \(\.\./hidden\.bin\)")


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.usefixtures("never_run")
def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "pickle.onnx"
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    refused(path, "not a whole ONNX file")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.usefixtures("never_run")
@pytest.mark.parametrize("content", [b"", b"<html></html>", b"\x00" * 100, b"no model\n" * 50])
def test_what_is_not_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "page.onnx"
    path.write_bytes(content)
    refused(path, "not a whole ONNX file")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused(tmp_path / "absent.onnx", "No such file")
    refused(tmp_path, "Is a directory")


def test_what_onnxruntime_cannot_run_is_refused(tmp_path: Path) -> None:
    proto = some_proto()
    proto.graph.node[0].op_type = "NoSuchOperation"
    refused(sealed_file(tmp_path / "unknown.onnx", proto), "onnxruntime cannot run it")
