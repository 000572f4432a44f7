"""What the accuracy of a network loses when it is not told one of its inputs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.evaluation.bootstrap import bootstrap
from rootflow.evaluation.cell_statistics import Drop
from rootflow.evaluation.permutation import REPLICAS, by_lot, largest_first, permuted
from rootflow.evaluation.results import Importance
from rootflow.methods.contract import Reconstructor
from rootflow.progress import progress


def importances(
    method: Reconstructor, events: Events, at_most: int, seed: int
) -> tuple[Importance, ...]:
    """Return the loss in assignment accuracy by each input, the largest first.

    The values of a feature, or of a whole collection, are permuted among the matched events:
    those of jets among events with as many jets, all jets of an event together (L. Breiman,
    Machine Learning 45 (2001) 5, section 10). An input that others tell as well has no
    importance by itself. Errors are by 100 bootstrap replicas of the events with the values that
    they got. At most so many events are used, chosen by lot.
    """
    random = np.random.default_rng(seed)
    events = events.take(by_lot(np.flatnonzero(events.matched), at_most, random))
    jets = np.sum(events.jet_mask, axis=1)
    whole = _right(method, events)
    inputs = _inputs(events)
    drops = {}
    with progress("importance", len(inputs), "inputs") as advance:
        for number, (collection, features) in enumerate(inputs):
            group = jets if collection == "jets" else np.zeros_like(jets)
            without = permuted(events, collection, features, group, random)
            drops[str(number)] = Drop(whole, _right(method, without))
            advance(1, f"{method.name} {collection}")
    found = bootstrap(drops, events.weight, REPLICAS, seed)
    return largest_first(
        Importance(
            collection, features[0] if len(features) == 1 else None, found[str(number)].estimate()
        )
        for number, (collection, features) in enumerate(inputs)
    )


def _inputs(events: Events) -> list[tuple[str, Sequence[str]]]:
    collections = {name: events.features[name] for name in events.collections}
    wholes = [each for each in collections.items() if len(each[1]) > 1]
    singles = [(name, (one,)) for name, features in collections.items() for one in features]
    return [*wholes, *singles]


def _right(method: Reconstructor, events: Events) -> NDArray[np.bool_]:
    answers = method.answer(events).assignment
    return np.asarray(np.all(answers == events.assignment, axis=1))
