"""The model of a finished training."""

from pathlib import Path
from typing import TYPE_CHECKING

from rootflow.errors import InputError
from rootflow.training.record import RECORD, read_record

if TYPE_CHECKING:
    import keras

    from rootflow.training.trees import TreesModel


def load_fitted(directory: Path) -> "keras.Model | TreesModel":
    """Return the network or the trees that a training left in its folder.

    Raises
    ------
    InputError
        There is no finished training, or its record or its model cannot be read.
    """
    record = read_record(directory)
    if record is None:
        raise InputError(f"{directory}: no finished training: there is no {RECORD}")
    path = directory / record.model_file
    # Here, and not above: TensorFlow and scikit-learn take seconds.
    if record.model.architecture == "boosted_trees":
        from rootflow.training.trees import load_trees

        return load_trees(path)
    from rootflow.models import load_model

    return load_model(path)
