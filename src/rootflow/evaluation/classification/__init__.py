"""Classifiers compared on the same events: how well they tell signal from background."""

from rootflow.evaluation.classification.cautions import cautions_of, is_excess
from rootflow.evaluation.classification.compare import Comparison, compare
from rootflow.evaluation.classification.evaluate import evaluate
from rootflow.evaluation.classification.figures import draw, draw_comparison
from rootflow.evaluation.classification.report import write_report
from rootflow.evaluation.classification.results import (
    ClassificationEvaluation,
    Scored,
    read,
    save,
)
from rootflow.evaluation.classification.scores import ScoreTable, read_scores, write_scores
from rootflow.evaluation.figures import draw_histories

__all__ = [
    "ClassificationEvaluation",
    "Comparison",
    "ScoreTable",
    "Scored",
    "cautions_of",
    "compare",
    "draw",
    "draw_comparison",
    "draw_histories",
    "evaluate",
    "is_excess",
    "read",
    "read_scores",
    "save",
    "write_report",
    "write_scores",
]
