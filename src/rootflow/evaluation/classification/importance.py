"""What a model loses when it is not told one of its inputs."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config import InputsConfig
from rootflow.dataset.events import Events
from rootflow.evaluation.bootstrap import FloatArray, bootstrap
from rootflow.evaluation.classification.asking import FoldedModel, score
from rootflow.evaluation.classification.auc import AreaUnderCurve, Drop
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.results import Importance
from rootflow.progress import progress

# Enough to know an error to 7 %.
REPLICAS = 100


class Input(NamedTuple):
    """One input of the models."""

    collection: str
    feature: str


def importances(
    models: Sequence[FoldedModel],
    scores: Mapping[str, FloatArray],
    simulation: Labelled,
    inputs: InputsConfig,
    at_most: int,
    seed: int,
) -> list[tuple[Importance, ...]]:
    """Return the loss in AUC by each input, the largest first, for every model.

    The values of the input are permuted among the labelled events of each fold, so that
    every event is still scored by the model that has not trained on it (L. Breiman, Machine
    Learning 45 (2001) 5, section 10). An input that others tell as well has no importance by
    itself. All models see the same permutations; errors are by 100 bootstrap replicas of the
    events with the values that they got.

    Parameters
    ----------
    models
        The models.
    scores
        (n,) what each says of the events as they are.
    simulation
        The n events.
    inputs
        What the models see.
    at_most
        How many events are used, chosen by lot.
    seed
        Of that, of the permutations and of the bootstrap.
    """
    random = np.random.default_rng(seed)
    index = np.arange(len(simulation))
    if len(index) > at_most:
        index = np.sort(random.choice(index, at_most, replace=False))
    events, signal = simulation.events.take(index), simulation.signal[index]
    whole = {name: AreaUnderCurve(of_model[index], signal) for name, of_model in scores.items()}
    chosen = _inputs(inputs)
    drops: dict[str, Drop] = {}
    with progress("importance", len(chosen), "inputs") as advance:
        for number, each in enumerate(chosen):
            permuted = _permuted(events, each, random)
            for place, model in enumerate(models):
                area = AreaUnderCurve(score(model, permuted, simulation), signal)
                drops[f"{place}/{number}"] = Drop(whole[model.name], area)
            advance(1, each.feature)
    found = bootstrap(drops, simulation.weight[index], REPLICAS, seed)
    return [
        tuple(
            sorted(
                (
                    Importance(*each, found[f"{place}/{number}"].estimate())
                    for number, each in enumerate(chosen)
                ),
                key=lambda importance: -importance.drop.value,
            )
        )
        for place in range(len(models))
    ]


def _inputs(inputs: InputsConfig) -> list[Input]:
    return [Input(collection, feature) for collection, names in inputs.items() for feature in names]


def _permuted(events: Events, chosen: Input, random: np.random.Generator) -> Events:
    array = events.collections[chosen.collection].copy()
    column = events.features[chosen.collection].index(chosen.feature)
    source = _permutation_within(events.fold, random)
    array[..., column] = array[source][..., column]
    return events.replace(**{chosen.collection: array})


def _permutation_within(fold: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.int64]:
    """Return (n,) a permutation that leaves every place in its fold."""
    permutation = np.arange(len(fold))
    for each in np.unique(fold):
        places = np.flatnonzero(fold == each)
        permutation[places] = random.permutation(places)
    return permutation
