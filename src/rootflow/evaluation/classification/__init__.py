"""Classifiers compared on the same events: how well they tell signal from background."""

from rootflow.evaluation.classification.evaluate import evaluate
from rootflow.evaluation.classification.evaluation import (
    ClassificationEvaluation,
    HeldOut,
    cautions_of,
    is_excess,
    read,
    save,
)
from rootflow.evaluation.classification.labelled import EventObservable, observable_of
from rootflow.evaluation.classification.report import (
    draw,
    tables_of,
    write_evaluation,
    write_report,
)
from rootflow.evaluation.classification.results import Scored
from rootflow.evaluation.classification.scores import compare, read_scores, write_scores

__all__ = [
    "ClassificationEvaluation",
    "EventObservable",
    "HeldOut",
    "Scored",
    "cautions_of",
    "compare",
    "draw",
    "evaluate",
    "is_excess",
    "observable_of",
    "read",
    "read_scores",
    "save",
    "tables_of",
    "write_evaluation",
    "write_report",
    "write_scores",
]
