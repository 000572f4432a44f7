"""The methods that stand beside the model: classic ones, and models from elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rootflow.config import (
    Config,
    EvaluationConfig,
    ModelMethodConfig,
    ReconstructionConfig,
    VariantConfig,
    change,
)
from rootflow.config.methods import MethodBlock
from rootflow.errors import UsageError
from rootflow.exported.code import OtherCode
from rootflow.exported.folds import TABLE
from rootflow.exported.table import model_files
from rootflow.progress import say
from rootflow.reconstruction.contract import Reconstructor
from rootflow.reconstruction.folded import FoldedReconstructor
from rootflow.reconstruction.hybrid import RememberingReconstructor
from rootflow.reconstruction.methods import make
from rootflow.reconstruction.network import KerasReconstructor
from rootflow.reconstruction.onnx import OnnxReconstructor
from rootflow.steps.exported_files import REGISTERED, find, of_run
from rootflow.steps.train import Trained

OF_RUN = "runs:/"


def variants_of(config: ReconstructionConfig) -> dict[str, Config]:
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


def without_variants(evaluation: EvaluationConfig) -> EvaluationConfig:
    """Return the evaluation without variants of the model, and without what is made of them."""
    kept: list[MethodBlock] = []
    left_out: set[str] = set()
    for method in evaluation.methods:
        if isinstance(method, VariantConfig) or left_out.intersection(method.references()):
            left_out.add(method.name)
        else:
            kept.append(method)
    return evaluation.model_copy(update={"methods": kept})


def make_methods(
    methods: Sequence[MethodBlock],
    seed: int,
    model: Reconstructor,
    variants: Mapping[str, Reconstructor],
    directory: Path,
    other_code: OtherCode = "refuse",
    tell: Callable[[str], None] = say,
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
    other_code
        As in `rootflow.exported.FoldedModel`.
    tell
        Told of each model whose inputs other code computed.

    Raises
    ------
    UsageError
        There is no such model, run, file or folder.
    InputError
        It is no exported network that assigns jets, and no finished training.
    """
    elsewhere = {
        method.name: model_method(method, directory, other_code, tell)
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


def model_method(
    method: ModelMethodConfig,
    directory: Path,
    other_code: OtherCode = "refuse",
    tell: Callable[[str], None] = say,
) -> Reconstructor:
    """Return a model from the registry, a run, a file or a folder; errors as of `make_methods`.

    It refuses the events of the folds that it was trained on, whatever it came from. The networks
    of all folds of one run are one model.
    """
    folder = Path(method.source)
    if folder.is_dir() and not (folder / TABLE).exists():
        return KerasReconstructor.of_training(folder, name=method.name)
    return exported_network(method.name, _found(method, directory / method.name), other_code, tell)


def exported_network(
    name: str,
    paths: Sequence[Path],
    other_code: OtherCode = "refuse",
    tell: Callable[[str], None] = say,
) -> OnnxReconstructor | FoldedReconstructor:
    """Return the network in a file, or those of all folds in as many.

    `other_code` and `tell` are as in `make_methods`.

    Raises
    ------
    InputError
        A file is not one of a network of `rootflow export`.
    UsageError
        There are several files, and not one for each fold.
    """
    networks = [OnnxReconstructor(name, path, other_code=other_code) for path in paths]
    for differs in sorted({network.other_code for network in networks if network.other_code}):
        tell(f"{name}: {differs}")
    if len(networks) == 1:
        return networks[0]
    networks.sort(key=lambda network: network.folds.held_out)
    return FoldedReconstructor(name, networks)


def _variant(config: ReconstructionConfig, method: VariantConfig) -> Config:
    try:
        return change(config, {**method.settings, "model.name": method.name})
    except UsageError as error:
        raise UsageError(f"evaluation.methods: {method.name}: {error}") from None


def _found(method: ModelMethodConfig, directory: Path) -> list[Path]:
    where = f"evaluation.methods: {method.name}"
    if method.source.startswith(OF_RUN):
        return model_files([of_run(method.source.removeprefix(OF_RUN), directory)])
    if method.source.startswith(REGISTERED):
        return find([method.source], directory, where).paths
    path = Path(method.source)
    if not path.exists():
        raise UsageError(
            f"{where}: there is no {path}; a registered model is {REGISTERED}/NAME/1, that of a "
            f"run {OF_RUN}RUN_ID"
        )
    return model_files([path])
