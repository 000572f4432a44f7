"""The methods that stand beside the model: classic ones, and models from elsewhere."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rootflow.analysis import TaskName, analysis_named
from rootflow.config import Config, EvaluationConfig, change
from rootflow.config.methods import MethodBlock, ModelMethodConfig, OwnMethodConfig, VariantConfig
from rootflow.dataset import Events
from rootflow.errors import ConformanceError, UsageError
from rootflow.exported.contract import OtherCode
from rootflow.exported.folds import TABLE, model_files
from rootflow.methods.combined import Remembering
from rootflow.methods.conformance import check_method
from rootflow.methods.contract import Method
from rootflow.methods.exported import OnnxMethod
from rootflow.methods.make import make
from rootflow.methods.model import Model, refuse_other_task
from rootflow.methods.trained import TrainedMethod
from rootflow.progress import say
from rootflow.steps.exported_files import REGISTERED, find, of_run

OF_RUN = "runs:/"
# Events on which classes of one's own are checked.
CHECKED = 100


def variants_of(config: Config) -> dict[str, Config]:
    """Return the configuration, by name, of each variant and each other architecture to train."""
    alone = config.model_copy(update={"evaluation": type(config.evaluation)()})
    return {
        method.name: _variant(alone, method)
        if isinstance(method, VariantConfig)
        else alone.model_copy(update={"model": method})
        for method in config.evaluation.methods
        if isinstance(method, VariantConfig) or not isinstance(method, MethodBlock)
    }


def without_training(config: Config) -> Any:
    """Return the evaluation without what has to be trained beside the model.

    Classifiers stand alone; of reconstruction, variants of the model and what is made of them
    are left out.
    """
    evaluation = config.evaluation
    kept: list[MethodBlock] = []
    if not isinstance(evaluation, EvaluationConfig):
        return evaluation.model_copy(update={"methods": kept})
    left_out: set[str] = set()
    for method in evaluation.methods:
        if isinstance(method, VariantConfig) or left_out.intersection(method.references()):
            left_out.add(method.name)
        else:
            kept.append(method)
    return evaluation.model_copy(update={"methods": kept})


def make_methods(
    config: Config,
    model: Method[Any],
    variants: Mapping[str, Method[Any]],
    events: Events,
    directory: Path,
    other_code: OtherCode = "refuse",
    tell: Callable[[str], None] = say,
) -> list[Method[Any]]:
    """Return the methods of a configuration, in its order.

    `variants` are those of `variants_of`, trained. Classes of one's own are checked on some of the
    `events`, fetched files go to `directory`, and `tell` hears of each model whose inputs other
    code computed.
    """
    task = analysis_named(config.analysis).task
    elsewhere = {
        method.name: model_method(method, task, directory, other_code, tell)
        for method in config.evaluation.methods
        if isinstance(method, ModelMethodConfig)
    }
    remembering = {name: Remembering(other) for name, other in {**elsewhere, **variants}.items()}
    made = make(config.evaluation.methods, config.seed, model, remembering)
    for block, method in zip(config.evaluation.methods, made, strict=True):
        if isinstance(block, OwnMethodConfig):
            _check_own(method, events)
    return made


def _check_own(method: Method[Any], events: Events) -> None:
    simulated = np.flatnonzero(events.simulated)
    some = simulated[:CHECKED]
    if "jets" in events.collections:
        full = simulated[events.jet_mask[simulated].all(axis=1)][:1]
        some = np.unique(np.append(some, full))
    try:
        check_method(method, events.take(some))
    except ConformanceError as error:
        raise ConformanceError(f"evaluation.methods: {method.name}: {error}") from None


def model_method(
    method: ModelMethodConfig,
    task: TaskName,
    directory: Path,
    other_code: OtherCode = "refuse",
    tell: Callable[[str], None] = say,
) -> Model:
    """Return a model from the registry, a run, a file or a folder.

    It refuses the events of the folds that it was trained on, whatever it came from. The networks
    of all folds of one run are one model.
    """
    folder = Path(method.source)
    model: Model
    if folder.is_dir() and not (folder / TABLE).exists():
        model = TrainedMethod.of_training(folder, name=method.name)
    else:
        paths = _found(method, directory / method.name)
        model = OnnxMethod(*paths, name=method.name, other_code=other_code)
        if model.other_code:
            tell(f"{method.name}: {model.other_code}")
    refuse_other_task(model, task, f"evaluation.methods: {method.name}")
    return model


def _variant(config: Config, method: VariantConfig) -> Config:
    try:
        return change(config, {**method.settings, "model.name": method.name})
    except UsageError as error:
        raise UsageError(f"evaluation.methods: {method.name}: {error}") from None


def _found(method: ModelMethodConfig, directory: Path) -> list[Path]:
    where = f"evaluation.methods: {method.name}"
    if method.source.startswith(OF_RUN):
        return model_files([of_run(method.source.removeprefix(OF_RUN), directory)])
    if not (method.source.startswith(REGISTERED) or Path(method.source).exists()):
        raise UsageError(
            f"{where}: there is no {Path(method.source)}; a registered model is "
            f"{REGISTERED}/NAME/1, that of a run {OF_RUN}RUN_ID"
        )
    return find([method.source], directory, where).paths
