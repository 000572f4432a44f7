"""Boosted trees as a model: from the arrays of events to scores, and on disk."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from numpy.typing import NDArray
from pydantic import TypeAdapter
from sklearn.ensemble import HistGradientBoostingClassifier
from skops.io.exceptions import UntrustedTypesFoundException
from threadpoolctl import threadpool_limits

from rootflow.checksum import read_sealed, seal_archive
from rootflow.dataset.events import Features
from rootflow.errors import InputError
from rootflow.files import NO_ARRAY, whole_file
from rootflow.models import TRAIN_AGAIN, CollectionInputs, in_a_row

# What a file may hold beside numbers, arrays and what skops itself trusts of scikit-learn.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]

INPUTS = TypeAdapter(dict[str, CollectionInputs])


class TreesModel:
    """Boosted trees with the inputs that they were grown on.

    Attributes
    ----------
    inputs
        What they are given of each collection.
    trees
        On the columns of `rootflow.models.in_a_row`.
    """

    def __init__(
        self, inputs: dict[str, CollectionInputs], trees: HistGradientBoostingClassifier
    ) -> None:
        self.inputs = inputs
        self.trees = trees

    @property
    def takes(self) -> list[str]:
        """The collections that they are given."""
        return [*self.inputs]

    @property
    def features(self) -> Features:
        """Names along the last axis of the arrays that they are given."""
        return {name: collection.features for name, collection in self.inputs.items()}

    def predict(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Return what is said of the arrays that `Events.inputs()` gives.

        It is the probability of signal, (n,), or of more than two classes (n, classes).
        """
        rows = in_a_row(arrays, self.inputs)
        # Threads that wait for one another make it many times slower where cores are shared.
        with threadpool_limits(1):
            said: NDArray[np.float64] = self.trees.predict_proba(rows)
        return said[:, 1] if said.shape[1] == 2 else said


def save_trees(model: TreesModel, path: Path) -> None:
    """Write the model as .skops, whole or not at all."""
    about = {name: collection._asdict() for name, collection in model.inputs.items()}
    with whole_file(path) as partial:
        skops.io.dump({"about": json.dumps(about), "trees": model.trees}, partial)
        seal_archive(partial)


def load_trees(path: Path) -> TreesModel:
    """Return trees saved as .skops; no code in the file is run.

    Raises
    ------
    InputError
        There is no such file, it is not one of `save_trees`, or it holds more than trees.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no saved model")
    content = read_sealed(path, TRAIN_AGAIN)
    try:
        held = skops.io.loads(content, trusted=TRUSTED)
        about, trees = json.loads(held["about"]), held["trees"]
        model = TreesModel(INPUTS.validate_python(about), trees)
        _refuse_other_trees(model)
    except UntrustedTypesFoundException:
        raise InputError(f"{path}: not a model of rootflow's: it holds more than trees") from None
    except (*NO_ARRAY, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a model that this rootflow can read: {reason}") from None
    return model


def _refuse_other_trees(model: TreesModel) -> None:
    """Refuse what is not trees, and trees that would be followed out of their arrays."""
    if not isinstance(model.trees, HistGradientBoostingClassifier):
        raise ValueError("it holds no boosted trees")
    nothing: dict[str, NDArray[Any]] = {}
    for name, collection in model.inputs.items():
        nothing[name] = np.zeros((1, *collection.shape), np.float32)
        if collection.mask is not None:
            nothing[collection.mask] = np.zeros((1, collection.slots or 0), bool)
    columns = in_a_row(nothing, model.inputs).shape[1]
    if model.trees.n_features_in_ != columns:
        raise ValueError(f"its trees have {model.trees.n_features_in_} columns, not {columns}")
    for tree in (tree for stage in model.trees._predictors for tree in stage):
        nodes = tree.nodes
        inner = nodes[nodes["is_leaf"] == 0]
        place = np.flatnonzero(nodes["is_leaf"] == 0)
        for child in (inner["left"], inner["right"]):
            if np.any((child <= place) | (child >= len(nodes))):
                raise ValueError("the branches of a tree lead nowhere")
        if np.any((inner["feature_idx"] < 0) | (inner["feature_idx"] >= columns)):
            raise ValueError("a tree asks for a column that it does not have")
