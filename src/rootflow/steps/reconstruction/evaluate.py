"""The trained network beside the classic methods, on events that it has not seen."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rootflow.config import FoldsConfig, ReconstructionConfig
from rootflow.dataset import Dataset
from rootflow.dataset.events import DATA
from rootflow.evaluation import draw_evaluation
from rootflow.evaluation.folder import TABLES
from rootflow.evaluation.reconstruction import (
    Collisions,
    assess,
    check_names,
    write_evaluation,
)
from rootflow.exported.code import OtherCode
from rootflow.methods.combined import Remembering, of_trainings
from rootflow.methods.contract import Reconstructor
from rootflow.steps import preprocess, train
from rootflow.steps.frozen import (
    Frozen,
    describe,
    facts_of,
    note_other_code,
    provenance_of,
    refuse_other_units,
)
from rootflow.steps.methods import make_methods, variants_of, without_variants
from rootflow.steps.result import StepResult
from rootflow.steps.train import Trained, provenance
from rootflow.tracking import Run, start_run


def run(
    config: ReconstructionConfig, parent: Run | None = None, other_code: OtherCode = "refuse"
) -> StepResult:
    """Evaluate every method, and log metrics, figures and the report."""
    check_names(config.evaluation, [config.model.name, *config.evaluation.method_names])
    variants = variants_of(config)
    with start_run(config, "evaluate", parent) as run:
        trained_variants = {name: train.ensure(each, run) for name, each in variants.items()}
        trained = train.ensure(config, run)  # last: it is what the run says that it came from
        evaluated = {**trained_variants, config.model.name: trained}
        run.set_tags({f"{train.TAG}.{name}": each.digest for name, each in evaluated.items()})
        variant_networks = {name: _model_of(name, each) for name, each in trained_variants.items()}
        origin = provenance(config, run, trained)
        model = _model_of(config.model.name, trained)
        return _evaluated(config, run, trained.dataset, model, variant_networks, origin, other_code)


def run_frozen(
    config: ReconstructionConfig,
    frozen: Frozen,
    parent: Run | None = None,
    other_code: OtherCode = "refuse",
) -> StepResult:
    """Evaluate an exported network as it is, beside the methods that need no training."""
    evaluation = without_variants(config.evaluation)
    left_out = sorted(set(config.evaluation.method_names) - set(evaluation.method_names))
    config = config.model_copy(update={"evaluation": evaluation})
    model = frozen.model
    check_names(evaluation, [model.name, *evaluation.method_names])
    with start_run(config, "evaluate", parent, evaluated=frozen.called) as run:
        describe(run, frozen)
        dataset = preprocess.ensure(config, run)
        refuse_other_units(dataset.manifest, frozen)
        origin = provenance_of(config, run, dataset.manifest, frozen)
        result = _evaluated(config, run, dataset, model, {}, origin, other_code)
        facts = {**facts_of(dataset.manifest, frozen, left_out), **result.facts}
        return replace(result, facts=facts)


def _evaluated(
    config: ReconstructionConfig,
    run: Run,
    dataset: Dataset,
    network: Reconstructor,
    variants: Mapping[str, Reconstructor],
    origin: Mapping[str, str],
    other_code: OtherCode,
) -> StepResult:
    every, manifest = config.data.folds.in_turn(), dataset.manifest
    unseen = np.isin(dataset.fold, [folds.held_out for folds in every])
    events = dataset.events(np.flatnonzero(unseen))
    collisions = None
    if events.label is not None and np.any(events.label == DATA):
        is_data = events.label == DATA
        collisions = Collisions(events.take(np.flatnonzero(is_data)), manifest.samples)
        events = events.take(np.flatnonzero(~is_data))
    files = [file.sha256 for sample in manifest.samples for file in sample.files]
    model = Remembering(network)
    differing: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "evaluation")
        others = make_methods(
            config,
            model,
            variants,
            events,
            Path(temporary),
            other_code,
            differing.append,
        )
        if differing:
            said = note_other_code(run, [*filter(None, [origin.get("other_code")]), *differing])
            origin = {**origin, "other_code": said}
        assessment = assess(events, [model, *others], config.evaluation, config.seed, collisions)
        evaluation = assessment.evaluation
        metrics = evaluation.metrics()
        run.log_metrics(metrics)
        write_evaluation(assessment, config.evaluation.unfold, files, origin, folder)
        figures = draw_evaluation(folder, config.evaluation.style)
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            run.log_file(path)
        for path in sorted((folder / TABLES).iterdir()):
            run.log_file(path, TABLES)
        run.log_figures(figures)
    noted = {"other_code": origin["other_code"]} if "other_code" in origin else {}
    facts = {**_folds(every), "events": len(events), **noted}
    return StepResult("evaluate", run.run_id, facts, {"methods": evaluation.table()}, metrics)


def _model_of(name: str, trained: Trained) -> Reconstructor:
    return of_trainings(name, [training.directory for training in trained.trainings])


def _folds(every: Sequence[FoldsConfig]) -> dict[str, str]:
    if len(every) > 1:
        return {"folds": f"{len(every)}, each held out"}
    return {"fold": f"{every[0].held_out} of {every[0].count}"}
