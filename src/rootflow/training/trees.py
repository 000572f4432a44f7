"""Boosted trees as a model: from the arrays of events to scores, and on disk."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from rootflow.analysis import TaskName
from rootflow.checksum import read_sealed, seal_archive
from rootflow.errors import InputError
from rootflow.files import NO_ARRAY, whole_file
from rootflow.models.classifier_inputs import CollectionInputs, in_a_row
from rootflow.models.classifiers import PROBABILITIES, SCORE
from rootflow.models.saving import TRAIN_AGAIN

# What a file may hold beside numbers, arrays and what skops itself trusts of scikit-learn.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]

INPUTS = TypeAdapter(dict[str, CollectionInputs])


class Trees(ABC):
    """Boosted trees as a model, from the arrays of events to outputs by name."""

    task: ClassVar[TaskName]
    takes: list[str]  # the arrays that they are given
    slots: int | None = None  # of jets in the events that they take, None where it does not matter

    @abstractmethod
    def outputs(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return what is said of the arrays that `Events.inputs()` gives."""


class TreesModel(Trees):
    """Boosted trees that classify, on the columns of `in_a_row` of the inputs."""

    task = "classification"

    def __init__(
        self, inputs: dict[str, CollectionInputs], trees: HistGradientBoostingClassifier
    ) -> None:
        self.inputs = inputs
        self.trees = trees
        self.takes = [*inputs]

    def outputs(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float64]]:
        """Return `score` (n, 1), or of more than two classes `probabilities` (n, classes)."""
        rows = in_a_row(arrays, self.inputs)
        # scikit-learn refuses to predict nothing.
        if not len(rows):
            return {SCORE: np.empty((0, 1))}
        # Threads that wait for one another make it many times slower where cores are shared.
        with threadpool_limits(1):
            said = self.trees.predict_proba(rows)
        return {SCORE: said[:, 1:]} if said.shape[1] == 2 else {PROBABILITIES: said}


def save_trees(model: TreesModel, path: Path) -> None:
    """Write the model as .skops, whole or not at all."""
    about = {name: collection._asdict() for name, collection in model.inputs.items()}
    write_trees(about, {"trees": model.trees}, path)


def write_trees(about: Mapping[str, Any], held: Mapping[str, Any], path: Path) -> None:
    """Write trees with what is needed beside them as .skops, whole or not at all."""
    import skops.io  # here, and not above: it takes half a second, and most models are no trees

    with whole_file(path) as partial:
        skops.io.dump({"about": json.dumps(about), **held}, partial)
        seal_archive(partial)


def load_trees(path: Path) -> Trees:
    """Return trees saved as .skops, else raise InputError; no code in the file is run."""
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    if not path.is_file():
        raise InputError(f"{path}: there is no saved model")
    content = read_sealed(path, TRAIN_AGAIN)
    try:
        return _model_of(skops.io.loads(content, trusted=TRUSTED))
    except UntrustedTypesFoundException:
        raise InputError(f"{path}: not a model of rootflow's: it holds more than trees") from None
    except (*NO_ARRAY, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a model that this rootflow can read: {reason}") from None


def _model_of(held: Mapping[str, Any]) -> Trees:
    about, trees = json.loads(held["about"]), held["trees"]
    if "neutrinos" in held:
        from rootflow.training.reconstruction_trees import reconstruction_trees

        return reconstruction_trees(about, trees, held["neutrinos"])
    model = TreesModel(INPUTS.validate_python(about), trees)
    nothing: dict[str, NDArray[Any]] = {}
    for name, collection in model.inputs.items():
        nothing[name] = np.zeros((1, *collection.shape), np.float32)
        if collection.mask is not None:
            nothing[collection.mask] = np.zeros((1, collection.slots or 0), bool)
    refuse_other_trees(
        trees, HistGradientBoostingClassifier, in_a_row(nothing, model.inputs).shape[1]
    )
    return model


def refuse_other_trees(trees: Any, kind: type[Any], columns: int) -> None:
    """Refuse by a ValueError what is not trees, or would be followed out of its arrays."""
    if not isinstance(trees, kind):
        raise ValueError("it holds no boosted trees")
    if trees.n_features_in_ != columns:
        raise ValueError(f"its trees have {trees.n_features_in_} columns, not {columns}")
    for tree in (tree for stage in trees._predictors for tree in stage):
        nodes = tree.nodes
        inner = nodes[nodes["is_leaf"] == 0]
        place = np.flatnonzero(nodes["is_leaf"] == 0)
        for child in (inner["left"], inner["right"]):
            if np.any((child <= place) | (child >= len(nodes))):
                raise ValueError("the branches of a tree lead nowhere")
        if np.any((inner["feature_idx"] < 0) | (inner["feature_idx"] >= columns)):
            raise ValueError("a tree asks for a column that it does not have")
