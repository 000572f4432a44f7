"""Putting exported models into the MLflow registry, and fetching them."""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import copy2
from typing import Any

import mlflow
import mlflow.artifacts
import mlflow.onnx
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.signature import infer_signature
from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository
from numpy.typing import NDArray

from rootflow.errors import RootflowError, UsageError
from rootflow.tracking.connection import THERE_ALREADY, connect, reason_of, server_must_answer
from rootflow.tracking.run import Run
from rootflow.tracking.versions import Version, describe, refuse_missing_files, version_of

REQUIREMENTS = ["numpy", "onnx", "onnxruntime"]
# On a version: of the ONNX file as it was registered.
SHA256 = "rootflow.file_sha256"
EXAMPLE, MLMODEL = "input_example.json", "MLmodel"
FLAVOUR = "rootflow"

Arrays = Mapping[str, NDArray[Any]]


def log_onnx_model(
    run: Run,
    model: Any,
    inputs: Arrays,
    outputs: Arrays,
    registered_name: str,
    contract: Mapping[str, Any] | None = None,
) -> str:
    """Log an ONNX model with signature, input example and contract, and register it.

    Parameters
    ----------
    model
        The onnx.ModelProto.
    inputs, outputs
        A few real events and what the model says of them, by name, shape (n, ...).
    contract
        What the file says of itself, as plain data.

    Returns
    -------
    models:/NAME/VERSION
    """
    example = dict(inputs)
    with _must_be_registered(registered_name):
        # Made first: else it is kept in Default, or in what set_experiment sets for the process.
        made = mlflow.initialize_logged_model(
            name="onnx",
            source_run_id=run.run_id,
            params=run.client.get_run(run.run_id).data.params,
            experiment_id=run.experiment_id,
        )
        logged = mlflow.onnx.log_model(
            model,
            name="onnx",
            model_id=made.model_id,
            run_id=run.run_id,
            registered_model_name=registered_name,
            signature=infer_signature(example, dict(outputs)),
            input_example=example,
            onnx_execution_providers=["CPUExecutionProvider"],
            pip_requirements=REQUIREMENTS,
            save_as_external_data=False,
            metadata=None if contract is None else {"contract": dict(contract)},
        )
    uri = f"models:/{registered_name}/{logged.registered_model_version}"
    describe(uri, {SHA256: hashlib.sha256(model.SerializeToString()).hexdigest()})
    return uri


def log_trained_model(
    run: Run,
    folders: Mapping[str, Sequence[Path]],
    inputs: Arrays,
    outputs: Arrays,
    registered_name: str,
    contract: Mapping[str, Any],
) -> str:
    """Log the files of finished trainings as they are, and register them as one model.

    `folders` has the files of each training, by the name of the folder that they get; an empty
    name is the model's own folder. The rest is as of `log_onnx_model`. The files become artifacts
    of the run. MLflow's own format of Keras models is not used: it may hold pickled code, and
    opens models without Keras' safe mode.
    """
    place = f"trained/{registered_name}"
    example = dict(inputs)
    kind = {"artifact_path": EXAMPLE, "type": "ndarray", "format": "tf-serving"}
    about = Model(
        artifact_path=place,
        run_id=run.run_id,
        signature=infer_signature(example, dict(outputs)),
        saved_input_example_info=kind,
        metadata={"contract": dict(contract)},
    )
    files = [str(Path(folder, path.name)) for folder, paths in folders.items() for path in paths]
    about.add_flavor(FLAVOUR, files=files)
    client = connect()
    with tempfile.TemporaryDirectory() as temporary:
        model = Path(temporary)
        for folder, paths in folders.items():
            (model / folder).mkdir(exist_ok=True)
            for path in paths:
                copy2(path, model / folder / path.name)
        lists = {name: array.tolist() for name, array in example.items()}
        (model / EXAMPLE).write_text(json.dumps({"inputs": lists}))
        about.save(str(model / MLMODEL))
        with server_must_answer():
            client.log_artifacts(run.run_id, str(model), place)
    with _must_be_registered(registered_name):
        try:
            client.create_registered_model(registered_name)
        except MlflowException as error:
            if error.error_code != THERE_ALREADY:
                raise
        source = RunsArtifactRepository.get_underlying_uri(f"runs:/{run.run_id}/{place}")
        made = client.create_model_version(registered_name, source, run.run_id)
    return f"models:/{registered_name}/{made.version}"


@contextmanager
def _must_be_registered(name: str) -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        raise RootflowError(
            f"the model could not be registered as '{name}': {reason_of(error)}; "
            "the ONNX files are kept, export again to register them"
        ) from None


def fetch_onnx_model(uri: str, directory: Path) -> tuple[Path, Version]:
    """Fetch the ONNX file of a registered model, models:/NAME/VERSION or models:/NAME@ALIAS.

    Raises
    ------
    UsageError
        There is no such model, or it is not ONNX.
    """
    found = version_of(uri)
    refuse_missing_files(found)
    with server_must_answer():
        folder = mlflow.artifacts.download_artifacts(found.uri, dst_path=str(directory))
    path = Path(folder, "model.onnx")
    if not path.is_file():
        raise UsageError(f"{uri}: not an ONNX model, as `rootflow export` registers them")
    return path, found
