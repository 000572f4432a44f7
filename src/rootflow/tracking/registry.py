"""Putting exported models into the MLflow registry, and fetching them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import mlflow
import mlflow.artifacts
import mlflow.onnx
import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.models.signature import infer_signature
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_DOES_NOT_EXIST,
    ErrorCode,
)
from numpy.typing import NDArray

from rootflow.errors import RootflowError, UsageError
from rootflow.tracking.connection import (
    connect,
    reason_of,
    redacted,
    server_must_answer,
    tracking_uri,
)
from rootflow.tracking.run import Run

REQUIREMENTS = ["numpy", "onnx", "onnxruntime"]
REGISTERED = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<version>[0-9]+)|@(?P<alias>[^/@]+))")
NO_SUCH_MODEL = (
    ErrorCode.Name(RESOURCE_DOES_NOT_EXIST),
    ErrorCode.Name(INVALID_PARAMETER_VALUE),  # an alias that is not set
)

Arrays = Mapping[str, NDArray[Any]]


def log_onnx_model(
    run: Run, model: Any, inputs: Arrays, outputs: Arrays, registered_name: str
) -> str:
    """Log an ONNX model with signature and input example, and register it.

    Parameters
    ----------
    run
        The run that exported it.
    model
        The onnx.ModelProto.
    inputs, outputs
        A few real events and what the model says of them, by name, shape (n, ...).
    registered_name
        Name in the registry; a new version is made.

    Returns
    -------
    str
        models:/NAME/VERSION

    Raises
    ------
    RootflowError
        The registry refused it or does not answer.
    """
    example = {name: np.asarray(array) for name, array in inputs.items()}
    signature = infer_signature(example, {name: np.asarray(a) for name, a in outputs.items()})
    try:
        mlflow.set_experiment(experiment_id=run.experiment_id)  # else the model is kept in Default
        logged = mlflow.onnx.log_model(
            model,
            name="onnx",
            run_id=run.run_id,
            registered_model_name=registered_name,
            signature=signature,
            input_example=example,
            onnx_execution_providers=["CPUExecutionProvider"],
            pip_requirements=REQUIREMENTS,
            save_as_external_data=False,
        )
    except MlflowException as error:
        raise RootflowError(
            f"the model could not be registered as '{registered_name}': {reason_of(error)}; "
            "the ONNX files are kept, export again to register them"
        ) from None
    return f"models:/{registered_name}/{logged.registered_model_version}"


class RegisteredModel(NamedTuple):
    """A version of a registered model, fetched.

    Attributes
    ----------
    path
        The ONNX file.
    """

    path: Path
    name: str
    version: str
    run_id: str


def fetch_onnx_model(uri: str, directory: Path) -> RegisteredModel:
    """Fetch the ONNX file of a registered model.

    Parameters
    ----------
    uri
        models:/NAME/VERSION or models:/NAME@ALIAS
    directory
        Where it goes.

    Raises
    ------
    UsageError
        There is no such model, or it is not ONNX.
    RootflowError
        The tracking server does not answer.
    """
    match = REGISTERED.fullmatch(uri)
    if match is None:
        raise UsageError(f"'{uri}' is not models:/NAME/VERSION or models:/NAME@ALIAS")
    name, version, alias = match.group("name", "version", "alias")
    client = connect()
    with server_must_answer():
        try:
            if alias is None:
                found = client.get_model_version(name, version)
            else:
                found = client.get_model_version_by_alias(name, alias)
        except MlflowException as error:
            if error.error_code not in NO_SUCH_MODEL:
                raise
            raise UsageError(
                f"{uri}: not in the registry of {redacted(tracking_uri())} ({reason_of(error)})"
            ) from None
        plain = f"models:/{found.name}/{found.version}"
        folder = Path(mlflow.artifacts.download_artifacts(plain, dst_path=str(directory)))
    path = folder / "model.onnx"
    if not path.is_file():
        raise UsageError(f"{uri}: not an ONNX model, as `rootflow export` registers them")
    return RegisteredModel(path, found.name, str(found.version), found.run_id or "")
