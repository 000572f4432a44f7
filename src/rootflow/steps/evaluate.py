"""Fitted models to metrics, figures and a report."""

from rootflow.config import Config, H4lConfig
from rootflow.steps.result import StepResult
from rootflow.tracking import Run


def run(config: Config, parent: Run | None = None) -> StepResult:
    """Evaluate the models of the configured analysis."""
    if isinstance(config, H4lConfig):
        from rootflow.steps.h4l import evaluate as of_h4l

        return of_h4l.run(config, parent)
    from rootflow.steps.ttbar import evaluate as of_ttbar

    return of_ttbar.run(config, parent)
