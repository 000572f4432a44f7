"""An exported model becomes a version in the registry, with its card, as the new candidate."""

from collections.abc import Mapping

import numpy as np

from rootflow.config import Config
from rootflow.estimate import Estimate
from rootflow.export.writing import Export
from rootflow.exported.checking import check_content
from rootflow.steps.registry.card import model_card
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
    card = model_card(
        uri,
        trained_uri,
        contract,
        trained.dataset.manifest,
        evaluated,
        evaluation_run,
        figures={each: found for each in runs if each and (found := _figures(each))},
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


def _figures(run_id: str) -> list[str]:
    return [path for path in artifacts_in(run_id, FIGURES) if path.endswith(".png")]
