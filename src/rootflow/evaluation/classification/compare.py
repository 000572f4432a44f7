"""Classifiers of any number of evaluations side by side, on the same events."""

from collections.abc import Sequence

import numpy as np

from rootflow.evaluation.bootstrap import FloatArray, Statistic
from rootflow.evaluation.classification.auc import AreaUnderCurve
from rootflow.evaluation.classification.scores import SCORE
from rootflow.evaluation.compare import Arrays, ComparedModels, SavedAnswers
from rootflow.evaluation.compare import compare as compare_answers
from rootflow.evaluation.event_table import EventTable
from rootflow.evaluation.paired import Metric

METRICS = {"auc": Metric("auc")}


def compare(tables: Sequence[EventTable], replicas: int, seed: int) -> ComparedModels:
    """Compare the AUC of models on all labelled events; real data are not looked at.

    `tables` are those of `read_scores`; other parameters and errors are those of
    `rootflow.evaluation.compare.compare`.
    """
    return compare_answers([_answers(table) for table in tables], METRICS, _asked, replicas, seed)


def _answers(table: EventTable) -> SavedAnswers:
    labelled = table.columns["label"] >= 0
    table = table._replace(columns={name: each[labelled] for name, each in table.columns.items()})
    label = table.columns["label"]
    return table.answers(
        {"label": label, "signal": np.isin(label, table.about["signals"])},
        {name: {"score": scores} for name, scores in table.starting(SCORE).items()},
    )


def _asked(truth: Arrays, said: Arrays, weight: FloatArray) -> dict[str, Statistic]:  # noqa: ARG001
    return {"auc": AreaUnderCurve(said["score"], truth["signal"])}
