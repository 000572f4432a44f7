"""How well a score tells signal from background, and what of its inputs it needs for that."""

from typing import NamedTuple

from rootflow.evaluation.results import Estimate


class Roc(NamedTuple):
    """The receiver operating characteristic, signal against all backgrounds.

    Attributes
    ----------
    signal_efficiency
        Rising, from 0 to 1.
    background_efficiency, errors
        At that signal efficiency, and its bootstrap error.
    """

    signal_efficiency: tuple[float, ...]
    background_efficiency: tuple[float, ...]
    errors: tuple[float, ...]


class Rejection(NamedTuple):
    """1 / background efficiency at a signal efficiency.

    None where no background is left, in the sample or in the replicas behind the error.
    """

    signal_efficiency: float
    rejection: Estimate | None


class Ranking(NamedTuple):
    """How well the score puts signal above background.

    Attributes
    ----------
    auc
        Area under the ROC curve: the probability that an event of signal has a higher score
        than one of background, ties counted half.
    auc_against
        The same against each background alone, by its name.
    roc, rejections
        The curve, and points of it.
    """

    auc: Estimate
    auc_against: dict[str, Estimate]
    roc: Roc
    rejections: tuple[Rejection, ...]


class Difference(NamedTuple):
    """How much better one model ranks than another, on the same replicas.

    Attributes
    ----------
    model, other
        Their names.
    auc
        Of `model` less that of `other`.
    p_value
        That `model` is no better: the share of replicas in which the difference is not
        positive. Small: the model is better. Never zero: (1 + hits) / (1 + replicas).
    """

    model: str
    other: str
    auc: Estimate
    p_value: float


class Importance(NamedTuple):
    """What is lost without an input.

    Attributes
    ----------
    collection, feature
        The input: a collection (of all its objects at once), and its name there.
    auc_drop
        The AUC less that with the input permuted among the events of each fold.
    """

    collection: str
    feature: str
    auc_drop: Estimate
