"""Classifiers of any number of evaluations side by side, on the same events."""

from collections.abc import Sequence

import numpy as np

from rootflow.evaluation.bootstrap import FloatArray, Statistic
from rootflow.evaluation.classification.auc import AreaUnderCurve
from rootflow.evaluation.classification.scores import ScoreTable
from rootflow.evaluation.compare import Arrays, ComparedModels, SavedAnswers
from rootflow.evaluation.compare import compare as compare_answers
from rootflow.evaluation.paired import Metric

METRICS = {"auc": Metric("auc")}


def compare(tables: Sequence[ScoreTable], replicas: int, seed: int) -> ComparedModels:
    """Compare the AUC of models on all labelled events; real data are not looked at.

    Parameters and errors are those of `rootflow.evaluation.compare.compare`.
    """
    return compare_answers([_answers(table) for table in tables], METRICS, _asked, replicas, seed)


def _answers(table: ScoreTable) -> SavedAnswers:
    labelled = np.flatnonzero(table.label >= 0)
    return SavedAnswers(
        name=table.name,
        files=np.array(table.files)[table.file_index[labelled]],
        event_number=table.event_number[labelled],
        identity={name: values[labelled] for name, values in table.identity.items()},
        weight=table.weight[labelled],
        truth={"label": table.label[labelled], "signal": table.is_signal()[labelled]},
        said={name: {"score": scores[labelled]} for name, scores in table.scores.items()},
    )


def _asked(truth: Arrays, said: Arrays, weight: FloatArray) -> dict[str, Statistic]:  # noqa: ARG001
    return {"auc": AreaUnderCurve(said["score"], truth["signal"])}
