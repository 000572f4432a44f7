"""Fitted or exported models to metrics, figures and a report."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from rootflow.analysis import analysis_named
from rootflow.config import Config
from rootflow.config.methods import OwnMethodConfig
from rootflow.dataset import Dataset
from rootflow.evaluation import draw_evaluation
from rootflow.evaluation.folder import TABLES
from rootflow.exported.contract import OtherCode
from rootflow.methods.combined import Remembering, of_trainings
from rootflow.methods.model import Model
from rootflow.plugins import resolve
from rootflow.steps import preprocess, train
from rootflow.steps.frozen import (
    SIMULATION,
    Frozen,
    describe,
    facts_of,
    note_other_code,
    open_frozen,
    provenance_of,
    refuse_other_units,
)
from rootflow.steps.methods import make_methods, variants_of, without_training
from rootflow.steps.registry.choosing import chosen, names_of
from rootflow.steps.result import Found, StepResult
from rootflow.steps.train import provenance
from rootflow.tracking import Run, start_run


def run(
    config: Config,
    parent: Run | None = None,
    *,
    model: str = "",
    other_code: OtherCode = "refuse",
) -> StepResult:
    """Evaluate the models of the configured analysis, or an exported one on its data.

    Without `model`, or with the name of a configured one, they are trained where that was not
    done yet. Anything else names an exported model, as `exported_files.find` does: it is
    evaluated as it is, and refused where the data are not such as it learnt from.
    """
    if model and model not in names_of(config):
        with tempfile.TemporaryDirectory() as folder:
            frozen = open_frozen(config, model, Path(folder), other_code)
            return _evaluate_frozen(config, frozen, parent, other_code)
    return _evaluate_trained(chosen(config, model).config, parent, other_code)


def _evaluate_trained(config: Config, parent: Run | None, other_code: OtherCode) -> StepResult:
    """Evaluate the model beside all methods, trained where that was not done yet."""
    check(config, config.model.name)
    variants = variants_of(config)
    with start_run(config, "evaluate", parent) as run:
        check_dataset(config, run)
        every = {name: train.ensure(each, run) for name, each in variants.items()}
        trained = train.ensure(config, run)  # last: it is what the run says that it came from
        every[config.model.name] = trained
        run.set_tags({f"{train.TAG}.{name}": each.digest for name, each in every.items()})
        models = {
            name: of_trainings(name, [training.directory for training in each.trainings])
            for name, each in every.items()
        }
        model = models.pop(config.model.name)
        origin = provenance(config, run, trained)
        return _evaluated(config, run, trained.dataset, model, models, origin, other_code)


def _evaluate_frozen(
    config: Config, frozen: Frozen, parent: Run | None, other_code: OtherCode
) -> StepResult:
    """Evaluate an exported model as it is, beside the methods that need no training."""
    model, evaluation = frozen.model, without_training(config)
    kept = {model.name, *(method.name for method in evaluation.methods)}
    every = {config.model.name, *(method.name for method in config.evaluation.methods)}
    config = config.model_copy(update={"evaluation": evaluation})
    check(config, model.name)
    with start_run(config, "evaluate", parent, evaluated=frozen.called) as run:
        describe(run, frozen)
        dataset = preprocess.ensure(config, run)
        manifest = dataset.manifest
        refuse_other_units(manifest, frozen)
        trained_on = model.contract.provenance.get(SIMULATION)
        model.trained_on_these = trained_on == manifest.simulation_digest
        origin = provenance_of(config, run, manifest, frozen)
        inputs = {name: list(features) for name, features in model.contract.uses.items()}
        config = config.model_copy(update={"inputs": inputs})
        result = _evaluated(config, run, dataset, model, {}, origin, other_code)
        facts = facts_of(frozen, sorted(every - kept))
        if not model.trained_on_these:
            facts |= analysis_named(config.analysis).steps.WITHOUT_TRAINING_EVENTS
        return replace(result, facts={**facts, **result.facts})


def _evaluated(
    config: Config,
    run: Run,
    dataset: Dataset,
    model: Model,
    variants: Mapping[str, Model],
    origin: Mapping[str, str],
    other_code: OtherCode,
) -> StepResult:
    every = config.data.folds.in_turn()
    unseen = np.isin(dataset.events().fold, [folds.held_out for folds in every])
    events = dataset.events(np.flatnonzero(unseen))
    differing: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        remembering = Remembering(model)
        others = make_methods(
            config, remembering, variants, events, Path(temporary), other_code, differing.append
        )
        if differing:
            said = note_other_code(run, [*filter(None, [origin.get("other_code")]), *differing])
            origin = {**origin, "other_code": said}
        folder = Path(temporary, "evaluation")
        methods = [remembering, *others]
        found: Found = analysis_named(config.analysis).steps.evaluated(
            config, dataset, events, methods, origin, folder
        )
        run.log_metrics(found.metrics)
        figures = draw_evaluation(folder, config.evaluation.style)
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            run.log_file(path)
        for path in sorted((folder / TABLES).iterdir()):
            run.log_file(path, TABLES)
        run.log_figures(figures)
    folds = (
        {"folds": f"{len(every)}, each held out"}
        if len(every) > 1
        else {"fold": f"{every[0].held_out} of {every[0].count}"}
    )
    noted = {"other_code": origin["other_code"]} if "other_code" in origin else {}
    facts = {**folds, **found.facts, **noted}
    return StepResult("evaluate", run.run_id, facts, found.tables, found.metrics)


def check(config: Config, name: str) -> None:
    """Refuse what the evaluation asks for and nobody can answer, whatever is in the dataset."""
    names = [name, *(method.name for method in config.evaluation.methods)]
    analysis_named(config.analysis).steps.check_evaluation(config, names)
    for method in config.evaluation.methods:
        if isinstance(method, OwnMethodConfig):
            resolve(method.code, f"evaluation.methods: {method.name}")


def check_dataset(config: Config, run: Run) -> None:
    """Refuse what the evaluation asks for and the dataset has not; it is made if need be."""
    dataset = preprocess.made(config, run)
    analysis_named(config.analysis).steps.check_dataset(config, dataset)
