"""Fitted or exported models to metrics, figures and a report."""

import tempfile
from pathlib import Path

from rootflow.analysis import analysis_named
from rootflow.config import Config
from rootflow.exported.code import OtherCode
from rootflow.steps.frozen import open_frozen
from rootflow.steps.registry.choosing import chosen, names_of
from rootflow.steps.result import StepResult
from rootflow.tracking import Run


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
    evaluation = analysis_named(config.analysis).evaluation
    if model and model not in names_of(config):
        with tempfile.TemporaryDirectory() as folder:
            frozen = open_frozen(config, model, Path(folder), other_code)
            result: StepResult = evaluation.run_frozen(config, frozen, parent, other_code)
            return result
    configured: StepResult = evaluation.run(chosen(config, model).config, parent, other_code)
    return configured
