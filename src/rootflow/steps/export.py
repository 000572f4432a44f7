"""Fitted models to ONNX files, proven, timed and registered."""

from rootflow.analysis import analysis_named
from rootflow.config import Config
from rootflow.steps.registry.choosing import chosen
from rootflow.steps.result import StepResult
from rootflow.tracking import Run


def run(
    config: Config, parent: Run | None = None, *, register: bool = True, model: str = ""
) -> StepResult:
    """Export the models of the configured analysis, and register them unless told otherwise.

    `model` says which: see `rootflow.steps.registry.choosing.chosen`.
    """
    config, training = chosen(config, model)
    result: StepResult = analysis_named(config.analysis).export(
        config, parent, register=register, training=training
    )
    return result
