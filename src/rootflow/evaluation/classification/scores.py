"""What models say of every event: asked for, with an input permuted, too, saved and compared."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from rootflow.config import InputsConfig
from rootflow.config.evaluation import ClassifierPromotionConfig
from rootflow.dataset.events import SIGNAL, Events
from rootflow.dataset.manifest import Sample
from rootflow.errors import ConformanceError, UsageError
from rootflow.evaluation.bootstrap import FloatArray, Replicated, Statistic, bootstrap
from rootflow.evaluation.cell_statistics import bin_of
from rootflow.evaluation.classification.labelled import EventObservable, Labelled
from rootflow.evaluation.classification.ranking import AreaUnderCurve
from rootflow.evaluation.classification.results import Scored
from rootflow.evaluation.compare import (
    Arrays,
    ComparedModels,
    EventTable,
    read_event_table,
    write_event_table,
)
from rootflow.evaluation.compare import compare as compare_answers
from rootflow.evaluation.paired import Contest, Metric, decide, paired
from rootflow.evaluation.permutation import REPLICAS, by_lot, largest_first, permuted
from rootflow.evaluation.results import Importance, check_known
from rootflow.methods.contract import Classifier
from rootflow.progress import progress

METRICS = {"auc": Metric("auc")}
# A model's scores are the column of this and its name.
SCORE = "score_"
# Of several classes, those of its probabilities are of this, the label and its name.
PROBABILITY = "probability_"


def scored_by(models: Sequence[Classifier], labelled: Labelled) -> tuple[Scored, ...]:
    """Return what every model says of all events, and of those that it has trained on."""
    names = [model.name for model in models]
    if not names:
        raise UsageError("there is no model to evaluate: name at least one")
    if len(set(names)) < len(names):
        raise UsageError(f"each model needs a name of its own, these are {', '.join(names)}")
    simulated = np.flatnonzero(~labelled.data)
    found = []
    with progress("score", len(models), "models") as advance:
        for model in models:
            in_training = np.full(len(labelled), np.nan)
            events = labelled.events.take(simulated)
            said = model.answer_seen(events) if hasattr(model, "answer_seen") else None
            if said is not None:
                in_training[simulated] = _signal_in(said, model.name, len(simulated), labelled)
            every = model.answer(labelled.events)
            scores = _signal_in(every, model.name, len(labelled), labelled)
            probabilities = np.asarray(every, np.float64) if np.ndim(every) > 1 else None
            found.append(Scored(model.name, scores, in_training, probabilities))
            advance(1, model.name)
    return tuple(found)


def score(model: Classifier, events: Events, labelled: Labelled) -> FloatArray:
    """Return (n,) the probability of signal of events that the model has not trained on."""
    return _signal_in(model.answer(events), model.name, len(events), labelled)


def _signal_in(said: FloatArray, name: str, events: int, labelled: Labelled) -> FloatArray:
    """Return (n,) the probability of all classes together that are signal."""
    scores, classes = np.asarray(said, np.float64), labelled.classes
    if scores.shape not in ((events,), (events, len(classes))):
        raise ConformanceError(f"{name}: scores of shape {scores.shape} for {events} events")
    broken = ~((scores >= 0) & (scores <= 1))
    if np.any(broken):
        raise ConformanceError(
            f"{name}: {np.sum(broken)} of {np.size(scores)} scores are not from 0 to 1, "
            f"the first is {scores[broken][0]}"
        )
    if scores.ndim > 1:
        of_signals = scores[:, [classes.index(signal) for signal in labelled.signals]]
        return np.asarray(np.minimum(of_signals.sum(axis=1), 1.0))
    return scores if classes[1] in labelled.signals else 1 - scores


def importances(
    models: Sequence[Classifier],
    scores: Mapping[str, FloatArray],
    simulation: Labelled,
    inputs: InputsConfig,
    at_most: int,
    seed: int,
) -> list[tuple[Importance, ...]]:
    """Return the loss in AUC by each input, the largest first, for every model.

    The values of the input are permuted among the labelled events of each fold, so that
    every event is still scored by the model that has not trained on it (L. Breiman, Machine
    Learning 45 (2001) 5, section 10). All models see the same permutations. `scores` (n,) are what
    each says of the events as they are; at most so many of them, chosen by lot, are used.
    """
    random = np.random.default_rng(seed)
    index = by_lot(np.arange(len(simulation)), at_most, random)
    events, signal = simulation.events.take(index), simulation.signal[index]
    areas = {
        f"{place}/whole": AreaUnderCurve(scores[model.name][index], signal)
        for place, model in enumerate(models)
    }
    chosen = [(collection, name) for collection, names in inputs.items() for name in names]
    with progress("importance", len(chosen), "inputs") as advance:
        for number, (collection, feature) in enumerate(chosen):
            without = permuted(events, collection, [feature], events.fold, random)
            for place, model in enumerate(models):
                said = score(model, without, simulation)
                areas[f"{place}/{number}"] = AreaUnderCurve(said, signal)
            advance(1, feature)
    found = bootstrap(areas, simulation.weight[index], REPLICAS, seed)
    return [
        largest_first(
            Importance(*each, paired(found[f"{place}/whole"], found[f"{place}/{number}"]).gain)
            for number, each in enumerate(chosen)
        )
        for place in range(len(models))
    ]


def write_scores(
    events: Events,
    samples: Sequence[Sample],
    scored: Sequence[Scored],
    path: Path,
    observable: EventObservable | None = None,
    signals: Sequence[int] = (SIGNAL,),
) -> None:
    """Write the scores of all events, data too, and the observable as a Parquet file.

    `events.sample` counts through the samples; `signals` are the labels of classes that are signal.
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
    files = [file.checksum for sample in samples for file in sample.files]
    write_event_table(events, columns, files, path, signals=list(signals))


def read_scores(path: Path, name: str | None = None) -> EventTable:
    """Read what `write_scores` wrote, or refuse it; messages call it by `name`, none: its path."""
    return read_event_table(path, "scores", ("sample", "label"), ("signals",), name)


def compare(tables: Sequence[EventTable], replicas: int, seed: int) -> ComparedModels:
    """Compare the AUC of models on all labelled events, not data, of tables of `read_scores`.

    Other parameters and errors are those of `rootflow.evaluation.compare.compare`.
    """
    labelled = [table.take(table.columns["label"] >= 0) for table in tables]
    for table in labelled:
        table.columns["signal"] = np.isin(table.columns["label"], table.about["signals"])
    truth = ("label", "signal")
    return compare_answers(labelled, truth, _said, _asked, METRICS, replicas, seed)


def _said(table: EventTable) -> dict[str, Arrays]:
    return {name: {"score": scores} for name, scores in table.starting(SCORE).items()}


def _asked(events: Arrays, said: Arrays) -> dict[str, Statistic]:
    return {"auc": AreaUnderCurve(said["score"], events["signal"])}


def contest(
    events: Events,
    samples: Sequence[Sample],
    candidate: Classifier,
    champion: Classifier | None,
    promotion: ClassifierPromotionConfig,
    replicas: int,
    seed: int,
) -> Contest:
    """Compare the weighted AUC of two classifiers, event by event; data are not looked at.

    The gain is tested against the least one of `promotion`; its bins are of features of the event.
    That there is no such feature, or a bin without signal or background, is a UsageError.
    """
    simulation = Labelled.of(events, samples).simulation()
    known = events.features["event"]
    check_known("promotion.no_regression_in", promotion.no_regression_in, known)
    inside = [np.ones(len(simulation), bool)]
    for name, limits in promotion.no_regression_in.items():
        number = bin_of(simulation.events.event[:, known.index(name)], limits)
        inside += [np.asarray(number == place) for place in range(len(limits) - 1)]
    measured = []
    for model in [candidate] if champion is None else [candidate, champion]:
        scores = score(model, simulation.events, simulation)
        statistics = {
            str(place): AreaUnderCurve(
                scores, simulation.signal & among, simulation.background & among
            )
            for place, among in enumerate(inside)
        }
        found = bootstrap(statistics, simulation.weight, replicas, seed)
        measured.append(Replicated.joined(found.values()))
    return decide(len(simulation), measured, promotion, seed)
