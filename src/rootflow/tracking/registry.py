"""Putting exported models into the MLflow registry."""

from collections.abc import Mapping
from typing import Any

import mlflow
import mlflow.onnx
import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.models.signature import infer_signature
from numpy.typing import NDArray

from rootflow.errors import RootflowError
from rootflow.tracking.connection import reason_of
from rootflow.tracking.run import Run

REQUIREMENTS = ["numpy", "onnx", "onnxruntime"]

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
