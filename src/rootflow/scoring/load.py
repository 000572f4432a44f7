"""A finished training as a scorer."""

from pathlib import Path

from rootflow.errors import InputError
from rootflow.scoring.contract import TrainedScorer
from rootflow.training import RECORD, load_fitted, read_record


def of_training(
    directory: Path, *, name: str | None = None, allow_seen_events: bool = False
) -> TrainedScorer:
    """Return the model of a finished training, with the folds of its record.

    Parameters
    ----------
    directory
        The training's own folder.
    name
        Under which its metrics are logged; none: as it was called when it was trained.
    allow_seen_events
        `score` gives also events of the training's folds an answer.

    Raises
    ------
    InputError
        There is no finished training of a classifier, or its record or its model cannot
        be read.
    """
    record = read_record(directory)
    if record is None:
        raise InputError(f"{directory}: no finished training: there is no {RECORD}")
    if record.inputs is None:
        raise InputError(f"{directory}: the {record.model.name} trained there gives no score")
    name, folds, model = name or record.model.name, record.folds, load_fitted(directory)
    # Here, and not above: TensorFlow and scikit-learn take seconds.
    if record.model.architecture == "boosted_trees":
        from rootflow.scoring.trees import TreesScorer

        return TreesScorer(name, model, folds, allow_seen_events=allow_seen_events)
    from rootflow.scoring.network import KerasScorer

    return KerasScorer(name, model, folds, record.features, allow_seen_events=allow_seen_events)
