from pathlib import Path

import numpy as np
import onnx
import pytest
from mlflow.tracking import MlflowClient
from onnx import TensorProto, helper

from rootflow.config import TtbarConfig
from rootflow.errors import UsageError
from rootflow.tracking import fetch_onnx_model, log_onnx_model, start_run


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
        fetched = fetch_onnx_model(asked, tmp_path / asked[-4:])
        assert (fetched.name, fetched.version, fetched.run_id) == ("doubling", "1", run_id)
        assert onnx.load(fetched.path).graph.name == "doubling"
    for wrong in ("models:/doubling/2", "models:/doubling@worst", "models:/tripling/1"):
        with pytest.raises(UsageError, match="not in the registry"):
            fetch_onnx_model(wrong, tmp_path)
    for wrong in ("models:/doubling", "runs:/1/onnx", "models:/doubling/first"):
        with pytest.raises(UsageError, match="is not models:/NAME/VERSION"):
            fetch_onnx_model(wrong, tmp_path)
