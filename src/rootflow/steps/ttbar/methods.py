"""The methods that stand beside the model: baselines, and models from elsewhere."""

from collections.abc import Sequence
from pathlib import Path

from rootflow.config import ModelMethodConfig
from rootflow.errors import UsageError
from rootflow.reconstruction.baselines import make
from rootflow.reconstruction.contract import Reconstructor
from rootflow.reconstruction.network import KerasReconstructor
from rootflow.reconstruction.onnx import OnnxReconstructor
from rootflow.tracking import artifact_of, artifacts_in, fetch_onnx_model, run_of_step

REGISTERED, OF_RUN = "models:/", "runs:/"
EXPORT, FLAT = "export", "_flat"


def make_methods(
    methods: Sequence[str | ModelMethodConfig], seed: int, directory: Path
) -> list[Reconstructor]:
    """Return the methods of a configuration, in its order.

    Parameters
    ----------
    methods
        `evaluation.methods`.
    seed
        Of `random`.
    directory
        Where fetched files go.

    Raises
    ------
    UsageError
        There is no such model, run, file or folder.
    InputError
        It is no exported network that assigns jets, and no finished training.
    """
    return [
        make(method, seed) if isinstance(method, str) else model_method(method, directory)
        for method in methods
    ]


def model_method(method: ModelMethodConfig, directory: Path) -> Reconstructor:
    """Return a model from the registry, a run, a file or a folder; errors as of `make_methods`.

    It refuses the events of the folds that it was trained on, whatever it came from.
    """
    path = _found(method, directory / method.name)
    if path.is_dir():
        network = KerasReconstructor.of_training(path)
        network.name = method.name
        return network
    return OnnxReconstructor(method.name, path)


def _found(method: ModelMethodConfig, directory: Path) -> Path:
    if method.source.startswith(REGISTERED):
        return fetch_onnx_model(method.source, directory).path
    if method.source.startswith(OF_RUN):
        return _of_run(method.source.removeprefix(OF_RUN), directory)
    path = Path(method.source)
    if not path.exists():
        raise UsageError(
            f"evaluation.methods: {method.name}: there is no {path}; a registered model is "
            f"{REGISTERED}NAME/1, that of a run {OF_RUN}RUN_ID"
        )
    return path


def _of_run(run_id: str, directory: Path) -> Path:
    run = run_of_step(run_id, EXPORT)
    named = [
        path
        for path in artifacts_in(run.run_id, EXPORT)
        if path.endswith(".onnx") and not Path(path).stem.endswith(FLAT)
    ]
    if not named:
        raise UsageError(f"run {run.run_id} has no ONNX file of a named variant")
    return artifact_of(run.run_id, named[0], directory)
