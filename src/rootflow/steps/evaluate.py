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

    Parameters
    ----------
    config
        The configuration.
    parent
        Of the run.
    model
        Empty: the configured models, trained where that was not done yet. A name: the
        configured one of this name. Else an exported model, which is evaluated as it is:
        nothing is trained. It is named as in `rootflow.steps.exported_files.find`.
    other_code
        Of exported models, as in `rootflow.exported.FoldedModel`.

    Raises
    ------
    UsageError
        There is no such model, or the configuration's data are not such as it learnt from.
    InputError
        Something is wrong with a file, or with the events.
    """
    analysis = analysis_named(config.analysis)
    if model and model not in names_of(config):
        with tempfile.TemporaryDirectory() as folder:
            frozen = open_frozen(config, model, Path(folder), other_code)
            result: StepResult = analysis.evaluate_frozen(config, frozen, parent, other_code)
            return result
    configured: StepResult = analysis.evaluate(chosen(config, model).config, parent, other_code)
    return configured
