"""The methods that stand beside the model: classic ones, and models from elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rootflow.config import (
    Config,
    EvaluationConfig,
    ModelMethodConfig,
    TtbarConfig,
    VariantConfig,
    change,
)
from rootflow.config.methods import MethodBlock
from rootflow.errors import UsageError
from rootflow.reconstruction.contract import Reconstructor
from rootflow.reconstruction.folded import FoldedReconstructor
from rootflow.reconstruction.hybrid import RememberingReconstructor
from rootflow.reconstruction.methods import make
from rootflow.reconstruction.network import KerasReconstructor
from rootflow.reconstruction.onnx import OnnxReconstructor
from rootflow.steps.train import Trained
from rootflow.tracking import artifact_of, artifacts_in, fetch_onnx_model, run_of_step

REGISTERED, OF_RUN = "models:/", "runs:/"
EXPORT, FLAT = "export", "_flat"


def variants_of(config: TtbarConfig) -> dict[str, Config]:
    """Return the configuration of each variant of the model, by its name.

    Raises
    ------
    UsageError
        Its settings are not known, or do not go together.
    """
    alone = config.model_copy(update={"evaluation": EvaluationConfig()})
    return {
        method.name: _variant(alone, method)
        for method in config.evaluation.methods
        if isinstance(method, VariantConfig)
    }


def make_methods(
    methods: Sequence[MethodBlock],
    seed: int,
    model: Reconstructor,
    variants: Mapping[str, Reconstructor],
    directory: Path,
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
    variants
        The trained variants of it, by name.
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
        method.name: model_method(method, directory)
        for method in methods
        if isinstance(method, ModelMethodConfig)
    }
    remembering = {
        name: RememberingReconstructor(other) for name, other in {**elsewhere, **variants}.items()
    }
    return make(methods, seed, model, remembering)


def network_of(name: str, trained: Trained) -> Reconstructor:
    """Return the network of trainings: of several, each event's is the one not trained on it.

    It has the name that the configuration gives it: a training may have had another one.
    """
    directories = [training.directory for training in trained.trainings]
    if len(directories) > 1:
        return FoldedReconstructor.of_trainings(directories, name)
    return KerasReconstructor.of_training(directories[0], name=name)


def model_method(method: ModelMethodConfig, directory: Path) -> Reconstructor:
    """Return a model from the registry, a run, a file or a folder; errors as of `make_methods`.

    It refuses the events of the folds that it was trained on, whatever it came from. The networks
    of all folds of one run are one model.
    """
    paths = _found(method, directory / method.name)
    if paths[0].is_dir():
        return KerasReconstructor.of_training(paths[0], name=method.name)
    networks = [OnnxReconstructor(method.name, path) for path in paths]
    if len(networks) == 1:
        return networks[0]
    networks.sort(key=lambda network: network.folds.held_out)
    return FoldedReconstructor(method.name, networks)


def _variant(config: TtbarConfig, method: VariantConfig) -> Config:
    try:
        return change(config, {**method.settings, "model.name": method.name})
    except UsageError as error:
        raise UsageError(f"evaluation.methods: {method.name}: {error}") from None


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
