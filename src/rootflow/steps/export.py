"""Fitted models to ONNX files, proven, timed and registered."""

from rootflow.config import Config, H4lConfig
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
    if isinstance(config, H4lConfig):
        from rootflow.steps.h4l import export as of_h4l

        return of_h4l.run(config, parent, register=register, training=training)
    from rootflow.steps.ttbar import export as of_ttbar

    return of_ttbar.run(config, parent, register=register, training=training)
