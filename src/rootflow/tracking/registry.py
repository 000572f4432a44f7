"""Registered models: putting them into the MLflow registry, fetching, naming and judging them."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import mlflow
import mlflow.artifacts
import mlflow.models
import mlflow.onnx
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.signature import infer_signature
from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository
from mlflow.tracking import MlflowClient
from numpy.typing import NDArray

from rootflow.errors import RootflowError, UsageError
from rootflow.tracking.artifacts import refuse_missing
from rootflow.tracking.connection import (
    MISSING,
    THERE_ALREADY,
    connect,
    reason_of,
    redacted,
    server_must_answer,
    tracking_uri,
)
from rootflow.tracking.run import Run

REGISTERED = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<version>[0-9]+)|@(?P<alias>[^/@]+))")
LARGEST_VERSION = 2**31 - 1  # that a database keeps
# On the registered model: the versions that have been its champion, the last one is it now.
CHAMPIONS = "rootflow.champions"
DESCRIPTION_LENGTH = 5000  # of a version in MLflow's database


class Version(NamedTuple):
    """A version of a registered model: of no run `run_id` is empty, `registered` is in UTC."""

    name: str
    version: str
    run_id: str
    registered: datetime
    aliases: tuple[str, ...]
    tags: dict[str, str]
    description: str

    @property
    def uri(self) -> str:
        """models:/NAME/VERSION."""
        return f"models:/{self.name}/{self.version}"


def version_of(uri: str) -> Version:
    """Return a version of a registered model, models:/NAME/VERSION or models:/NAME@ALIAS."""
    match = REGISTERED.fullmatch(uri)
    if match is None:
        raise UsageError(f"'{uri}' is not models:/NAME/VERSION or models:/NAME@ALIAS")
    name, version, alias = match.group("name", "version", "alias")
    if version and (len(version) > len(str(LARGEST_VERSION)) or int(version) > LARGEST_VERSION):
        raise UsageError(f"{uri}: no registry has a version of so large a number")
    client = connect()
    with server_must_answer():
        try:
            if alias is not None:
                version = client.get_model_version_by_alias(name, alias).version
            return _plain(client.get_model_version(name, version))
        except MlflowException as error:
            if error.error_code not in MISSING:
                raise
            raise UsageError(
                f"{uri}: not in the registry of {redacted(tracking_uri())} ({reason_of(error)})"
            ) from None


def version_with(name: str, alias: str) -> Version | None:
    """Return the version of a registered model that has an alias, None where none has."""
    version = _model(connect(), name).aliases.get(alias)
    return None if version is None else version_of(f"models:/{name}/{version}")


def versions(name: str | None = None) -> list[Version]:
    """Return all versions of a registered model, or of all, the newest of each name first."""
    client = connect()
    if name is not None:
        _model(client, name)
    aliases = defaultdict(list)
    with server_must_answer():
        for model in mlflow.search_registered_models():
            for alias, version in sorted(model.aliases.items()):
                aliases[model.name, str(version)].append(alias)
        wanted = f"name = '{name}'" if name else None
        found = [_plain(each) for each in mlflow.search_model_versions(filter_string=wanted)]
    named = [each._replace(aliases=tuple(aliases[each.name, each.version])) for each in found]
    return sorted(named, key=lambda each: (each.name, -int(each.version)))


def describe(
    uri: str, tags: Mapping[str, str], description: str | None = None, alias: str | None = None
) -> None:
    """Give a version tags, a description and an alias, which another version may lose by it."""
    found, client = version_of(uri), connect()
    with server_must_answer():
        for key, value in tags.items():
            client.set_model_version_tag(found.name, found.version, key, value)
        if description is not None:
            client.update_model_version(found.name, found.version, _cut(description))
        if alias is not None:
            client.set_registered_model_alias(found.name, alias, found.version)


def remove_tags(version: Version, keys: Sequence[str]) -> None:
    """Take tags away from a version, where it has them."""
    client = connect()
    with server_must_answer():
        for key in set(keys) & set(version.tags):
            client.delete_model_version_tag(version.name, version.version, key)


def champions_of(name: str) -> list[str]:
    """Return the versions that were promoted to champion and not rolled back, the last one last."""
    return str(_model(connect(), name).tags.get(CHAMPIONS, "")).split()


def remember_champions(name: str, champions: Sequence[str]) -> None:
    """Write down the versions that `champions_of` returns."""
    client = connect()
    with server_must_answer():
        client.set_registered_model_tag(name, CHAMPIONS, " ".join(champions))


def contract_of(version: Version) -> dict[str, Any] | None:
    """Return what was registered with a version as its contract, None where nothing was.

    It says of which version it is, which the sealed file cannot know.
    """
    refuse_missing_files(version)
    with server_must_answer():
        metadata = mlflow.models.get_model_info(version.uri).metadata or {}
    contract: dict[str, Any] | None = metadata.get("contract")
    return None if contract is None else {**contract, "model_version": version.version}


def refuse_missing_files(version: Version) -> None:
    """Refuse a version whose files are no longer where they were registered."""
    client = connect()
    with server_must_answer():
        place = client.get_model_version_download_uri(version.name, version.version)
        if place.startswith("models:/"):
            place = client.get_logged_model(place.removeprefix("models:/")).artifact_location
    refuse_missing(place, version.uri)


def _cut(description: str) -> str:
    """Return whole lines that fit, and where the others are."""
    if len(description) <= DESCRIPTION_LENGTH:
        return description
    rest = "\n\nMore is in the card among the artifacts of its run."
    return description[: DESCRIPTION_LENGTH - len(rest)].rpartition("\n")[0] + rest


def _model(client: MlflowClient, name: str) -> Any:
    with server_must_answer(missing=f"there is no registered model '{name}'"):
        return client.get_registered_model(name)


def _plain(found: ModelVersion) -> Version:
    return Version(
        name=found.name,
        version=str(found.version),
        run_id=found.run_id or "",
        registered=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
        aliases=tuple(sorted(found.aliases)),
        tags=dict(found.tags),
        description=found.description or "",
    )


REQUIREMENTS = ["numpy", "onnx", "onnxruntime"]
# On a version: of the ONNX file as it was registered.
SHA256 = "rootflow.file_sha256"
EXAMPLE = "input_example.json"
EXAMPLE_INFO = {"artifact_path": EXAMPLE, "type": "ndarray", "format": "tf-serving"}

Arrays = Mapping[str, NDArray[Any]]


def log_onnx_model(
    run: Run,
    model: Any,
    inputs: Arrays,
    outputs: Arrays,
    registered_name: str,
    contract: Mapping[str, Any] | None = None,
) -> str:
    """Log an onnx.ModelProto with its contract, register it, and return models:/NAME/VERSION.

    `inputs` and `outputs` are a few real events and what the model says of them, shape (n, ...).
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
    about = Model(
        artifact_path=place,
        run_id=run.run_id,
        signature=infer_signature(example, dict(outputs)),
        saved_input_example_info=EXAMPLE_INFO,
        metadata={"contract": dict(contract)},
    )
    files = [str(Path(folder, path.name)) for folder, paths in folders.items() for path in paths]
    about.add_flavor("rootflow", files=files)
    client = connect()
    lists = {name: array.tolist() for name, array in example.items()}
    with server_must_answer():
        for folder, paths in folders.items():
            for path in paths:
                client.log_artifact(run.run_id, str(path), str(Path(place, folder)))
        client.log_text(run.run_id, json.dumps({"inputs": lists}), f"{place}/{EXAMPLE}")
        client.log_text(run.run_id, about.to_yaml(), f"{place}/MLmodel")
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
    """Fetch the ONNX file of a registered model, models:/NAME/VERSION or models:/NAME@ALIAS."""
    found = version_of(uri)
    refuse_missing_files(found)
    with server_must_answer():
        folder = mlflow.artifacts.download_artifacts(found.uri, dst_path=str(directory))
    path = Path(folder, "model.onnx")
    if not path.is_file():
        raise UsageError(f"{uri}: not an ONNX model, as `rootflow export` registers them")
    return path, found
