"""The scores of every event: written, read, compared with others and with those of the champion."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rootflow.dataset.events import SIGNAL, Events
from rootflow.dataset.manifest import Sample
from rootflow.errors import UsageError
from rootflow.evaluation.bootstrap import FloatArray, Replicated, Statistic, bootstrap
from rootflow.evaluation.cell_statistics import bin_of
from rootflow.evaluation.classification.asking import score
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.observable import EventObservable
from rootflow.evaluation.classification.ranking import AreaUnderCurve
from rootflow.evaluation.classification.results import Scored
from rootflow.evaluation.compare import (
    Arrays,
    ComparedModels,
    EventTable,
    SavedAnswers,
    read_event_table,
    write_event_table,
)
from rootflow.evaluation.compare import compare as compare_answers
from rootflow.evaluation.paired import Contest, Edges, Metric, bins_of, decide
from rootflow.methods.contract import Classifier

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


METRIC = "auc"


def contest(
    events: Events,
    samples: Sequence[Sample],
    candidate: Classifier,
    champion: Classifier | None,
    *,
    least_gain: float,
    edges: Edges,
    replicas: int,
    seed: int,
) -> Contest:
    """Compare the weighted AUC of two classifiers, event by event; data are not looked at.

    The gain is tested against `least_gain`; `edges` are of bins by feature of the event. That there
    is no such feature, or a bin without signal or background, is a UsageError.
    """
    simulation = Labelled.of(events, samples).simulation()
    inside = _inside(simulation.events, edges)
    measured = []
    for model in (candidate, champion):
        if model is not None:
            scores = score(model, simulation.events, simulation)
            statistics = {
                str(place): AreaUnderCurve(
                    scores, simulation.signal & among, simulation.background & among
                )
                for place, among in enumerate(inside)
            }
            found = bootstrap(statistics, simulation.weight, replicas, seed)
            measured.append(Replicated.joined(found.values()))
    return decide(METRIC, len(simulation), measured, bins_of(edges), least_gain, seed)


def _inside(events: Events, edges: Edges) -> list[NDArray[np.bool_]]:
    """Return (n,) which events count: all, and then those in each bin."""
    known = events.features["event"]
    inside = [np.ones(len(events), bool)]
    for name, limits in edges.items():
        if name not in known:
            raise UsageError(f"promotion.no_regression_in: '{name}' is none of {', '.join(known)}")
        number = bin_of(events.event[:, known.index(name)], limits)
        inside += [np.asarray(number == place) for place in range(len(limits) - 1)]
    return inside
