"""The methods that stand beside the model: classic ones, and models from elsewhere."""

from collections.abc import Sequence
from pathlib import Path

from rootflow.config import ModelMethodConfig
from rootflow.config.methods import MethodBlock
from rootflow.errors import UsageError
from rootflow.reconstruction.contract import Reconstructor
from rootflow.reconstruction.folded import FoldedReconstructor
from rootflow.reconstruction.hybrid import RememberingReconstructor
from rootflow.reconstruction.methods import make
from rootflow.reconstruction.network import KerasReconstructor
from rootflow.reconstruction.onnx import OnnxReconstructor
from rootflow.tracking import artifact_of, artifacts_in, fetch_onnx_model, run_of_step

REGISTERED, OF_RUN = "models:/", "runs:/"
EXPORT, FLAT = "export", "_flat"


def make_methods(
    methods: Sequence[MethodBlock], seed: int, model: Reconstructor, directory: Path
) -> list[Reconstructor]:
    """Return the methods of a configuration, in its order.

    Parameters
    ----------
    methods
        `evaluation.methods`.
    seed
        Of methods that draw or throw.
    model
        The one under evaluation, for methods that are made of it.
    directory
        Where fetched files go.

    Raises
    ------
    UsageError
        There is no such model, run, file or folder.
    InputError
        It is no exported network that assigns jets, and no finished training.
    """
    elsewhere = {
        method.name: RememberingReconstructor(model_method(method, directory))
        for method in methods
        if isinstance(method, ModelMethodConfig)
    }
    return make(methods, seed, model, elsewhere)


def model_method(method: ModelMethodConfig, directory: Path) -> Reconstructor:
    """Return a model from the registry, a run, a file or a folder; errors as of `make_methods`.

    It refuses the events of the folds that it was trained on, whatever it came from. The networks
    of all folds of one run are one model.
    """
    paths = _found(method, directory / method.name)
    if paths[0].is_dir():
        network = KerasReconstructor.of_training(paths[0])
        network.name = method.name
        return network
    networks = [OnnxReconstructor(method.name, path) for path in paths]
    if len(networks) == 1:
        return networks[0]
    networks.sort(key=lambda network: network.folds.held_out)
    return FoldedReconstructor(method.name, networks)


def _found(method: ModelMethodConfig, directory: Path) -> list[Path]:
    if method.source.startswith(REGISTERED):
        return [fetch_onnx_model(method.source, directory).path]
    if method.source.startswith(OF_RUN):
        return _of_run(method.source.removeprefix(OF_RUN), directory)
    path = Path(method.source)
    if not path.exists():
        raise UsageError(
            f"evaluation.methods: {method.name}: there is no {path}; a registered model is "
            f"{REGISTERED}NAME/1, that of a run {OF_RUN}RUN_ID"
        )
    return [path]


def _of_run(run_id: str, directory: Path) -> list[Path]:
    run = run_of_step(run_id, EXPORT)
    named = [
        path
        for path in artifacts_in(run.run_id, EXPORT)
        if path.endswith(".onnx") and not Path(path).stem.endswith(FLAT)
    ]
    if not named:
        raise UsageError(f"run {run.run_id} has no ONNX file of a named variant")
    return [artifact_of(run.run_id, name, directory) for name in named]
