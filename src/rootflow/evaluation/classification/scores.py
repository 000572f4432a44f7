"""The scores of every event, written, read, and compared with others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from rootflow.dataset.events import SIGNAL, Events
from rootflow.dataset.manifest import Sample
from rootflow.evaluation.bootstrap import FloatArray, Statistic
from rootflow.evaluation.classification.observable import EventObservable
from rootflow.evaluation.classification.ranking import AreaUnderCurve
from rootflow.evaluation.classification.results import Scored
from rootflow.evaluation.compare import Arrays, ComparedModels, SavedAnswers
from rootflow.evaluation.compare import compare as compare_answers
from rootflow.evaluation.event_table import EventTable, read_event_table, write_event_table
from rootflow.evaluation.paired import Metric

# A model's scores are the column of this and its name.
SCORE = "score_"
# Of several classes, those of its probabilities are of this, the label and its name.
PROBABILITY = "probability_"
METRICS = {"auc": Metric("auc")}


def write_scores(
    events: Events,
    samples: Sequence[Sample],
    scored: Sequence[Scored],
    path: Path,
    observable: EventObservable | None = None,
    signals: Sequence[int] = (SIGNAL,),
) -> None:
    """Write the scores of all events, data too, as a Parquet file.

    Parameters
    ----------
    events
        The events, with samples and labels.
    samples
        Those that `events.sample` counts through.
    scored
        What each model says of them.
    path
        Of the file.
    observable
        A column of it is written, too.
    signals
        The labels of the classes that are signal.
    """
    names = np.array([sample.name for sample in samples])
    columns: dict[str, Any] = {
        "sample": pa.array(names[events.sample]).dictionary_encode(),
        "label": events.label,
        **({} if observable is None else {observable.key: observable.values(events)}),
        **{SCORE + model.name: model.scores for model in scored},
        **{
            f"{PROBABILITY}{place}_{model.name}": model.probabilities[:, place]
            for model in scored
            if model.probabilities is not None
            for place in range(model.probabilities.shape[1])
        },
    }
    files = [file.sha256 for sample in samples for file in sample.files]
    write_event_table(events, columns, files, path, signals=list(signals))


def read_scores(path: Path, name: str | None = None) -> EventTable:
    """Read what `write_scores` wrote; messages call it by `name`, none: its path.

    Raises
    ------
    InputError
        The file cannot be read, or is no table of scores.
    """
    return read_event_table(path, "scores", ("sample", "label"), ("signals",), name)


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
