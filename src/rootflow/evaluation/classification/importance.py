"""What a model loses when it is not told one of its inputs."""

from collections.abc import Mapping, Sequence

import numpy as np

from rootflow.config import InputsConfig
from rootflow.evaluation.bootstrap import FloatArray, bootstrap
from rootflow.evaluation.classification.asking import score
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.ranking import AreaUnderCurve
from rootflow.evaluation.paired import paired
from rootflow.evaluation.permutation import REPLICAS, by_lot, largest_first, permuted
from rootflow.evaluation.results import Importance
from rootflow.methods.contract import Classifier
from rootflow.progress import progress


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
    Learning 45 (2001) 5, section 10). An input that others tell as well has no importance by
    itself. All models see the same permutations; errors are by 100 bootstrap replicas of the
    events with the values that they got.

    `scores` (n,) are what each model says of the events as they are; at most so many of them,
    chosen by lot, are used.
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
