"""An exported model becomes a version in the registry, with its card, as the new candidate."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rootflow.config import Config
from rootflow.dataset.manifest import Manifest
from rootflow.estimate import Estimate, with_error
from rootflow.evaluation.classification import is_excess
from rootflow.export.writing import Export
from rootflow.exported.checking import check_content
from rootflow.exported.contract import OnnxContract
from rootflow.steps.registry.decision import CANDIDATE, METRIC
from rootflow.steps.train import TAG, Trained
from rootflow.tracking import Run
from rootflow.tracking.artifacts import LoggedRun, artifacts_in, last_run
from rootflow.tracking.registry import describe, log_onnx_model, log_trained_model
from rootflow.training.fitting import Training
from rootflow.training.record import RECORD

# What a version of the ONNX file says of that of the trained model, and the other way round.
TRAINED, ONNX = "rootflow.trained", "rootflow.onnx"
# Of an evaluation, what the card shows where it was found.
METRICS = (
    "assignment_accuracy",
    "either_accuracy",
    "selection_accuracy",
    "mtt_bias",
    "mtt_resolution",
    "efficiency",
    "auc",
    "auc_in_window",
    "auc_training_excess",
    "auc_training_excess_in_window",
    "significance",
    "calibration_error",
)
FILES_NAMED = 6
FIGURES_NAMED = 8
IN_WINDOW = ", in the window in m(4l) of the significances,"
FIGURES = "figures"
FOLD = "fold"  # an input of the ONNX file that the models of the folds do not have


def register(
    config: Config,
    run: Run,
    trained: Trained,
    registered: str,
    exported: Export,
    trainings: Mapping[str, Training],
) -> tuple[str, str]:
    """Register an exported model and the trained one, and call the former the candidate.

    Their models:/NAME/VERSION is returned. `run` is the export's, `registered` the name in the
    registry, `trained` all trainings with their dataset; `trainings` are those of the model, by
    the folder that each one's files get.
    """
    # MLflow writes the file anew: its bytes must be those that were proven.
    contract = check_content(exported.model.SerializeToString(), registered)
    plain = contract.model_dump(mode="json")
    inputs, outputs = exported.input_example, exported.output_example
    uri = log_onnx_model(run, exported.model, inputs, outputs, registered, plain)
    folders = {
        folder: [training.model_path, training.directory / RECORD]
        for folder, training in trainings.items()
    }
    training = next(iter(trainings.values()))
    kind = training.model_path.suffix.removeprefix(".")  # keras or skops
    inputs = {name: values for name, values in inputs.items() if name != FOLD}
    trained_uri = log_trained_model(run, folders, inputs, outputs, f"{registered}-{kind}", plain)
    name = contract.model
    evaluation = last_run(
        run.experiment_id, {"rootflow.step": "evaluate", f"{TAG}.{name}": trained.digest}
    )
    evaluated = {} if evaluation is None else _estimates(evaluation, name)
    evaluation_run = None if evaluation is None else evaluation.run_id
    runs = (evaluation_run, trained.run_id)
    card = _model_card(
        uri,
        trained_uri,
        contract,
        trained.dataset.manifest,
        evaluated,
        evaluation_run,
        figures={each: found for each in runs if each and (found := _logged_figures(each))},
    )
    run.log_text(card, f"model_card_{registered}.md")
    tags = {"rootflow.model": name, "rootflow.dataset": trained.dataset.manifest.digest}
    metric = evaluated.get(config.promotion.metric)
    if metric is not None:
        tags |= {
            METRIC: config.promotion.metric,
            f"{METRIC}.value": str(metric.value),
            f"{METRIC}.error": str(metric.error),
        }
    describe(trained_uri, {**tags, ONNX: uri}, card)
    describe(uri, {**tags, TRAINED: trained_uri}, card, alias=CANDIDATE)
    return uri, trained_uri


def _estimates(evaluation: LoggedRun, model: str) -> dict[str, Estimate]:
    """Return those of METRIC/MODEL that are logged, with their errors."""
    logged = evaluation.metrics
    found = {}
    for metric in METRICS:
        value, error = f"{metric}/{model}", f"{metric}_error/{model}"
        if value in logged:
            found[metric] = Estimate(logged[value], logged.get(error, np.nan))
    return found


def _logged_figures(run_id: str) -> list[str]:
    return [path for path in artifacts_in(run_id, FIGURES) if path.endswith(".png")]


def _model_card(
    uri: str,
    trained_uri: str,
    contract: OnnxContract,
    manifest: Manifest,
    evaluated: Mapping[str, Estimate],
    evaluation_run: str | None,
    figures: Mapping[str, Sequence[str]],
) -> str:
    """Return what a user has to know before they apply a model.

    The URIs are those of the ONNX file, and of what it was made from, in the registry. `evaluated`
    is what the evaluation found of it, by metric; figures are artifact paths by run.
    """
    name, version = uri.removeprefix("models:/").split("/")
    origin = contract.provenance
    sections = {
        f"# {name}, version {version}": [
            f"{contract.model} ({_of(origin, 'architecture')}), analysis {contract.analysis}. "
            f"ONNX with opset {contract.opset}; made from `{trained_uri}`."
        ],
        "## Limits of validity": _limits(contract, manifest, evaluated),
        "## Metrics": _metrics(contract, evaluated),
        "## Data": _data(manifest),
        "## Folds": _folds(contract),
        "## Range of the inputs": _ranges(contract),
        "## Figures": _figures(evaluation_run, figures),
        "## Origin and how to cite": [
            f"- rootflow {contract.rootflow_version}, commit {contract.git_commit or 'unknown'} "
            f"(tree {_of(origin, 'training_git_tree')})",
            f"- training run {_of(origin, 'training_run_id')}, ended "
            f"{contract.trained_at or 'unknown'}, seed {_of(origin, 'seed')}; "
            f"export run {contract.run_id or 'unknown'}",
            f'- Cite as: "{name} version {version}, {contract.model} trained with rootflow '
            f'{contract.rootflow_version} on dataset {manifest.digest}", with the commit.',
        ],
    }
    return "\n\n".join("\n".join([head, "", *lines]) for head, lines in sections.items()) + "\n"


def _limits(
    contract: OnnxContract, manifest: Manifest, evaluated: Mapping[str, Estimate]
) -> Iterator[str]:
    yield f"- May be applied to {contract.may_be_applied_to}; and to collisions."
    data = [sample.name for sample in manifest.samples if sample.label == "data"]
    scored = f"; collisions ({', '.join(data)}) were only scored" if data else ""
    yield (
        f"- Trained and evaluated on simulated events alone{scored}: how it does on collisions was "
        "not measured, and no systematic uncertainty is in the errors below."
    )
    for name, where in (("auc_training_excess", ""), ("auc_training_excess_in_window", IN_WINDOW)):
        excess = evaluated.get(name)
        if excess is not None and is_excess(excess):
            yield (
                f"- It has learnt some of its training events by heart: their AUC is higher by "
                f"{with_error(excess)}{where} than that of the same events unseen. Never judge "
                "it by events of its training."
            )
    yield "- Events have to pass the selection below, with objects as its ntuples define them."
    for each in contract.collections:
        if each.mask:
            yield f"- Only the leading {each.slots} {each.name} count."
    yield f"- {contract.order[0].upper()}{contract.order[1:]}."
    yield "- Beyond the ranges of the inputs below it extrapolates."


def _metrics(contract: OnnxContract, evaluated: Mapping[str, Estimate]) -> Iterator[str]:
    rows: list[tuple[str, str, float, float | None]] = [
        ("evaluation", name, found.value, found.error) for name, found in evaluated.items()
    ]
    known = contract.metrics
    rows += [
        (
            where,
            name.removeprefix(start),
            value,
            known.get(f"{name}_error", known.get(f"{name}_error_over_folds")),
        )
        for where, start in (("validation", "best_validation_"), ("parity", "parity_"))
        for name, value in known.items()
        if name.startswith(start) and not name.endswith(("_error", "_error_over_folds"))
    ]
    yield from _table(
        ("from", "metric", "value"),
        ((where, name, _number(value, error)) for where, name, value, error in rows),
    )
    if not evaluated:
        yield ""
        yield "No evaluation of this training was run before it was registered."


def _data(manifest: Manifest) -> Iterator[str]:
    yield f"- Dataset `{manifest.digest}`, {manifest.events:,} events"
    yield f"- Selection: {_settings(manifest.reading)}"
    for sample in manifest.samples:
        label = f" ({sample.label})" if sample.label else ""
        yield (
            f"- Sample {sample.name}{label}: {sample.events:,} events, sum of weights "
            f"{sample.sum_of_weights:.6g}, branch map {sample.branch_map}"
        )
        for file in sample.files[:FILES_NAMED]:
            yield f"  - `{file.path.rpartition('/')[2]}`, {file.bytes} bytes, {file.checksum}"
        more = len(sample.files) - FILES_NAMED
        if more > 0:
            yield f"  - and {more} more: see `manifest.json` of the run of preprocess"


def _folds(contract: OnnxContract) -> Iterator[str]:
    one = f"trained on all but fold {contract.held_out}."
    each = "one model for each, trained without it, and the input `fold` picks among them."
    yield (
        f"{contract.folds.count} folds by {contract.folds.scheme} of the event number; "
        f"{each if contract.held_out is None else one}"
    )


def _ranges(contract: OnnxContract) -> Iterator[str]:
    yield from _table(
        ("input", "from", "to", "unit"),
        (
            (
                f"{tensor.name} {feature.name}",
                *(f"{end:.4g}" for end in feature.range),
                feature.unit,
            )
            for tensor in contract.inputs
            for feature in tensor.features
            if feature.range is not None and feature.name in contract.uses.get(tensor.name, ())
        ),
    )


def _figures(evaluation_run: str | None, figures: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if evaluation_run:
        yield f"- Report: `runs:/{evaluation_run}/report.html`"
    for run_id, paths in figures.items():
        names = [path.rpartition("/")[2] for path in paths]
        more = f" and {len(names) - FIGURES_NAMED} more" if len(names) > FIGURES_NAMED else ""
        yield f"- `runs:/{run_id}/figures`: {', '.join(names[:FIGURES_NAMED])}{more}"
    if not figures:
        yield "None is known."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _number(value: float, error: float | None) -> str:
    return f"{value:.4g}" if error is None else f"{value:.4g} ± {error:.2g}"


def _settings(settings: Mapping[str, Any]) -> str:
    said = (
        _settings(value) if isinstance(value, Mapping) else f"{name} {value}"
        for name, value in settings.items()
        if value not in (None, {})
    )
    return ", ".join(said)


def _of(origin: Mapping[str, str], name: str) -> str:
    return origin.get(name, "unknown")
