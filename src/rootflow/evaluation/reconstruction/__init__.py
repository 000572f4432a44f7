"""Methods of reconstruction compared on the same events."""

from rootflow.evaluation.folder import write_json as save
from rootflow.evaluation.reconstruction.distributions import Collisions
from rootflow.evaluation.reconstruction.evaluate import Assessment, assess, check_names, evaluate
from rootflow.evaluation.reconstruction.figures import draw
from rootflow.evaluation.reconstruction.predictions import compare, read_predictions
from rootflow.evaluation.reconstruction.report import write_evaluation, write_report
from rootflow.evaluation.reconstruction.results import Evaluation, read

__all__ = [
    "Assessment",
    "Collisions",
    "Evaluation",
    "assess",
    "check_names",
    "compare",
    "draw",
    "evaluate",
    "read",
    "read_predictions",
    "save",
    "write_evaluation",
    "write_report",
]
