import hashlib
import os
import shutil
from pathlib import Path

import mlflow
import numpy as np
import onnx
import pytest
from mlflow.tracking import MlflowClient
from onnx import TensorProto, helper

from rootflow.analyses.ttbar import TtbarConfig
from rootflow.errors import RootflowError, UsageError
from rootflow.tracking import artifact_of, start_run
from rootflow.tracking.registry import (
    champions_of,
    contract_of,
    describe,
    fetch_onnx_model,
    log_onnx_model,
    log_trained_model,
    remember_champions,
    remove_tags,
    version_of,
    version_with,
    versions,
)
from rootflow.tracking.run import DEFAULT_EXPERIMENT_ID
from servers import free_port, serve, stop


@pytest.fixture
def doubling() -> onnx.ModelProto:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch"]) for name in "xy"]
    node = helper.make_node("Add", ["x", "x"], ["y"])
    graph = helper.make_graph([node], "doubling", values[:1], values[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow's own
def test_a_registered_model_comes_back(
    config: TtbarConfig, client: MlflowClient, doubling: onnx.ModelProto, tmp_path: Path
) -> None:
    values = np.ones(3, np.float32)
    with start_run(config, "export") as run:
        uri = log_onnx_model(run, doubling, {"x": values}, {"y": 2 * values}, "doubling")
        run_id = run.run_id
    assert uri == "models:/doubling/1"
    client.set_registered_model_alias("doubling", "best", "1")
    for asked in (uri, "models:/doubling@best"):
        path, version = fetch_onnx_model(asked, tmp_path / asked[-4:])
        assert (version.name, version.version, version.run_id) == ("doubling", "1", run_id)
        assert onnx.load(path).graph.name == "doubling"
    for wrong in ("models:/doubling/2", "models:/doubling@worst", "models:/tripling/1"):
        with pytest.raises(UsageError, match="not in the registry"):
            fetch_onnx_model(wrong, tmp_path)
    for wrong in ("models:/doubling", "runs:/1/onnx", "models:/doubling/first"):
        with pytest.raises(UsageError, match="is not models:/NAME/VERSION"):
            fetch_onnx_model(wrong, tmp_path)


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow's own
def test_a_model_is_kept_with_its_run_and_a_later_run_goes_where_it_should(
    config: TtbarConfig, client: MlflowClient, doubling: onnx.ModelProto
) -> None:
    values = np.ones(3, np.float32)
    with start_run(config, "export") as run:
        run.log_params({"of_the_run": 16})
        log_onnx_model(run, doubling, {"x": values}, {"y": 2 * values}, "doubling")
    [model] = client.search_logged_models([run.experiment_id])
    assert (model.name, model.source_run_id, model.status) == ("onnx", run.run_id, "READY")
    assert model.params["of_the_run"] == "16"
    assert "MLFLOW_EXPERIMENT_ID" not in os.environ  # which the processes of this one would get
    with mlflow.start_run() as later:
        assert later.info.experiment_id == DEFAULT_EXPERIMENT_ID != run.experiment_id


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow's own
def test_a_server_keeps_models_trainings_tags_aliases_and_tells_no_secret(
    config: TtbarConfig,
    doubling: onnx.ModelProto,
    workspace: Path,
    empty_store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://student:secret@localhost:{port}")
    shutil.copy(empty_store, workspace / "server.db")
    weights = workspace / "model.keras"
    weights.write_bytes(b"weights")
    values = {"x": np.ones(3, np.float32)}
    server = serve(workspace, port, "server.db")
    try:
        with start_run(config, "export") as run:
            contract = {"analysis": "ttbar"}
            uri = log_onnx_model(run, doubling, values, {"y": 2 * values["x"]}, "twice", contract)
            log_onnx_model(run, doubling, values, {"y": 2 * values["x"]}, "twice")
            trained = log_trained_model(
                run,
                {"fold0": [weights], "fold1": [weights]},
                values,
                {"y": 2 * values["x"]},
                "twice-keras",
                contract,
            )
        describe(uri, {"rootflow.model": "doubling"}, "word " * 10 + "line\n" * 2000, "champion")
        first = version_of("models:/twice@champion")
        assert (first.uri, first.run_id) == (uri, run.run_id)
        assert first.tags["rootflow.model"] == "doubling"
        sha256 = hashlib.sha256(doubling.SerializeToString()).hexdigest()
        assert first.tags["rootflow.file_sha256"] == sha256
        assert len(first.description) <= 5000
        assert first.description.endswith("card among the artifacts of its run.")
        assert contract_of(first) == contract_of(version_of(trained))
        assert contract_of(first) == {**contract, "model_version": "1"}
        assert contract_of(version_of("models:/twice/2")) is None
        assert [(each.version, each.aliases) for each in versions("twice")] == [
            ("2", ()),
            ("1", ("champion",)),
        ]
        assert [each.name for each in versions()] == ["twice", "twice", "twice-keras"]
        assert version_with("twice", "candidate") is None
        champion = version_with("twice", "champion")
        assert champion is not None
        assert champion.version == "1"
        remember_champions("twice", ["1", "2"])
        assert champions_of("twice") == ["1", "2"]
        remove_tags(first, ["rootflow.model", "absent"])
        assert "rootflow.model" not in version_of(uri).tags
        path, _ = fetch_onnx_model(uri, workspace / "fetched")
        assert path.read_bytes() == doubling.SerializeToString()
        for name in ("fold0", "fold1"):
            got = artifact_of(
                run.run_id, f"trained/twice-keras/{name}/model.keras", workspace / name
            )
            assert got.read_bytes() == b"weights"
        for wrong in (lambda: version_of("models:/thrice/1"), lambda: versions("thrice")):
            with pytest.raises(UsageError, match=f"http://localhost:{port}") as refusal:
                wrong()
            assert "secret" not in str(refusal.value)
        with pytest.raises(UsageError, match="not an ONNX model"):
            fetch_onnx_model(trained, workspace / "other")
    finally:
        stop(server)
    with pytest.raises(RootflowError, match="does not answer") as away:
        versions("twice")
    assert "secret" not in str(away.value)
