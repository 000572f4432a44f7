"""The trained classifiers side by side, each event scored by a model that has not seen it."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rootflow.config import ClassificationConfig, InputsConfig
from rootflow.dataset import Dataset
from rootflow.evaluation import draw_evaluation
from rootflow.evaluation.classification import (
    HeldOut,
    cautions_of,
    evaluate,
    observable_of,
    tables_of,
    write_evaluation,
    write_scores,
)
from rootflow.evaluation.folder import TABLES
from rootflow.exported.code import OtherCode
from rootflow.methods.combined import of_trainings
from rootflow.methods.model import Model
from rootflow.steps import preprocess, train
from rootflow.steps.frozen import (
    Frozen,
    describe,
    facts_of,
    note_other_code,
    provenance_of,
    refuse_other_units,
    trained_on,
)
from rootflow.steps.methods import CHECKED, make_methods, variants_of
from rootflow.steps.result import StepResult
from rootflow.steps.train import provenance
from rootflow.tracking import Run, start_run

SCORES = "scores.parquet"
# Of the tables, those that a terminal shows.
SHOWN = ("auc", "over_training", "best_cut", "fit", "yields")


def run(
    config: ClassificationConfig, parent: Run | None = None, other_code: OtherCode = "refuse"
) -> StepResult:
    """Evaluate the model and those beside it, and log metrics, figures, scores and the report."""
    with start_run(config, "evaluate", parent) as run:
        beside = {name: train.ensure(each, run) for name, each in variants_of(config).items()}
        trained = train.ensure(config, run)  # last: what the run says that it came from
        evaluated = {config.model.name: trained, **beside}
        run.set_tags({f"{train.TAG}.{name}": each.digest for name, each in evaluated.items()})
        model, *others = (
            of_trainings(name, [training.directory for training in each.trainings])
            for name, each in evaluated.items()
        )
        variants = dict(zip(beside, others, strict=True))
        origin = provenance(config, run, trained)
        differing: list[str] = []
        with tempfile.TemporaryDirectory() as folder:
            methods = make_methods(
                config,
                model,
                variants,
                trained.dataset.events(slice(CHECKED)),
                Path(folder),
                other_code,
                differing.append,
            )
            if differing:
                said = note_other_code(run, [*filter(None, [origin.get("other_code")]), *differing])
                origin = {**origin, "other_code": said}
            models: list[Any] = [model, *methods]
            return _evaluated(config, run, trained.dataset, models, config.inputs, origin)


def run_frozen(
    config: ClassificationConfig,
    frozen: Frozen,
    parent: Run | None = None,
    other_code: OtherCode = "refuse",  # noqa: ARG001 - of models beside it, of which there are none
) -> StepResult:
    """Evaluate an exported model alone, as it is, on the events of the configuration."""
    with start_run(config, "evaluate", parent, evaluated=frozen.called) as run:
        describe(run, frozen)
        dataset = preprocess.ensure(config, run)
        manifest, contract = dataset.manifest, frozen.model.contract
        refuse_other_units(manifest, frozen)
        seen = trained_on(manifest, frozen)
        frozen.model.trained_on_these = seen
        uses = {name: list(features) for name, features in contract.uses.items()}
        origin = provenance_of(config, run, manifest, frozen)
        result = _evaluated(config, run, dataset, [frozen.model], uses, origin)
        left_out = [config.model.name, *(other.name for other in config.evaluation.methods)]
        left_out = [name for name in left_out if name != frozen.model.name]
        without = {} if seen else {"over_training": "left out: it needs the training's events"}
        facts = {**facts_of(manifest, frozen, left_out), **without, **result.facts}
        return replace(result, facts=facts)


def _evaluated(
    config: ClassificationConfig,
    run: Run,
    dataset: Dataset,
    scorers: Sequence[Model],
    inputs: InputsConfig,
    origin: Mapping[str, str],
) -> StepResult:
    every, manifest = config.data.folds.in_turn(), dataset.manifest
    unseen = np.isin(dataset.fold, [folds.held_out for folds in every])
    events = dataset.events(np.flatnonzero(unseen))
    held_out = HeldOut(every[0].held_out, every[0].count) if len(every) == 1 else None
    samples = manifest.samples
    observable = observable_of(config.evaluation, manifest.features)
    evaluation = evaluate(
        events,
        samples,
        scorers,
        inputs,
        config.evaluation,
        config.seed,
        observable,
        manifest.classes,
        held_out,
    )
    metrics = evaluation.metrics()
    run.log_metrics(metrics)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "evaluation")
        write_evaluation(evaluation, origin, place)
        signals = [evaluation.classes.index(name) for name in evaluation.signals]
        write_scores(events, samples, evaluation.scored, place / SCORES, observable, signals)
        figures = draw_evaluation(place, config.evaluation.style)
        for path in sorted(path for path in place.iterdir() if path.is_file()):
            run.log_file(path)
        for path in sorted((place / TABLES).iterdir()):
            run.log_file(path, TABLES)
        run.log_figures(figures)
    facts = {
        **(
            {"folds": f"{len(every)}, each held out"}
            if held_out is None
            else {"fold": f"{held_out.fold} of {held_out.folds}"}
        ),
        "events": len(events),
        "caution": cautions_of(evaluation),
    }
    tables = tables_of(evaluation)
    shown = {table.name: table.as_rows() for table in tables if table.name in SHOWN}
    return StepResult("evaluate", run.run_id, facts, shown, metrics)
