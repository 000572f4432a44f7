"""Search for better settings: trials are asked of Optuna, run as jobs, and told."""

from rootflow.tuning.trials import Result, Trial, TrialFiles

__all__ = ["Result", "Trial", "TrialFiles"]
