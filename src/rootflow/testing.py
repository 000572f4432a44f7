"""Does code of one's own keep the contracts of rootflow? For one's own test suite.

`check_architecture` is for networks that `model.architecture` names; for methods there is
`check_method`.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from rootflow.config import ClassifierConfig, OwnNetworkConfig
from rootflow.errors import ConformanceError, RootflowError
from rootflow.export.conversion import convert
from rootflow.exported.session import open_session
from rootflow.methods.conformance import check_method
from rootflow.models import (
    ClassifierNormalisation,
    CollectionInputs,
    build_classifier,
    load_model,
    make_deterministic,
    save_model,
)

__all__ = ["check_architecture", "check_method"]

EVENTS, STEPS = 64, 3
# What a sum in another order may change, and what parity at export allows.
TOLERANCE = 1e-6
FEATURES, UNITS = ("pt", "eta", "phi"), ("GeV", "none", "rad")
INPUTS = {
    "jets": CollectionInputs(FEATURES, UNITS, FEATURES, slots=5, mask="jet_mask"),
    "leptons": CollectionInputs(FEATURES, UNITS, FEATURES, slots=2),
    "event": CollectionInputs(("mass", "count"), ("GeV", "none"), ("mass", "count")),
}
Arrays = dict[str, NDArray[Any]]


def check_architecture(
    architecture: str | ClassifierConfig,
    settings: Mapping[str, Any] | None = None,
    *,
    inputs: Mapping[str, CollectionInputs] = INPUTS,
    classes: int = 2,
    any_order_of: str | None = None,
) -> None:
    """Check a classifier's network that a configuration can name, on made-up events.

    It is built, trained for a few steps, saved, read again and exported to ONNX, which has to
    say the same; what stands in slots that are not filled must not matter, nor must the
    other events.

    Parameters
    ----------
    architecture, settings
        As `model.architecture` and `model.settings`, or the whole block `model`.
    inputs
        What it is given of each collection.
    classes
        How many it tells apart.
    any_order_of
        A collection of which the order of the objects must not matter.

    Raises
    ------
    ConformanceError
        It does not keep the contract: the message says where.
    UsageError
        It cannot be found or built.
    """
    make_deterministic()
    keras.utils.set_random_seed(1)
    config = (
        OwnNetworkConfig(architecture=architecture, settings=dict(settings or {}))
        if isinstance(architecture, str)
        else architecture
    )
    model = build_classifier(config, inputs, _normalisation(inputs), classes)
    arrays, label = _events(inputs), np.arange(EVENTS) % classes
    before = [np.array(weight) for weight in model.trainable_weights]
    _train(model, arrays, label, classes)
    moved = [
        np.any(np.array(new) != old)
        for new, old in zip(model.trainable_weights, before, strict=True)
    ]
    _require(any(moved), "a few steps of training change its weights")
    whole = _said(model, arrays)
    _require(bool(np.all(np.isfinite(whole))), "what it says is finite")
    _require(_near(_said(model, arrays), whole), "the same events get one answer")
    half = {key: array[::2] for key, array in arrays.items()}
    _require(_near(_said(model, half), whole[::2]), "an answer does not depend on the other events")
    hidden = _with_other_padding(inputs, arrays)
    _require(_near(_said(model, hidden), whole), "slots that are not filled do not matter")
    if any_order_of is not None:
        turned = _in_other_order(inputs, arrays, any_order_of)
        _require(_near(_said(model, turned), whole), f"the order of {any_order_of} does not matter")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        try:
            save_model(model, path)
            again = load_model(path)
        except (RootflowError, TypeError, ValueError) as error:
            raise ConformanceError(
                f"{config.architecture} cannot be saved and read again: register its layers by "
                f"keras.saving.register_keras_serializable: {error}"
            ) from None
        _require(_near(_said(again, arrays), whole), "read again it says the same")
    (output,) = model.output
    session = open_session(convert(model, opset=17).SerializeToString())
    said = session.run([output], arrays)[0]
    _require(_near(said, whole), f"as ONNX it says the same within {TOLERANCE:g}")


def _train(model: keras.Model, arrays: Arrays, label: NDArray[np.integer], classes: int) -> None:
    (output,) = model.output
    target = label[:, None] if classes == 2 else np.eye(classes)[label]
    loss = "binary_crossentropy" if classes == 2 else "categorical_crossentropy"
    model.compile("adam", loss={output: loss}, run_eagerly=True)
    for _ in range(STEPS):
        model.train_on_batch(arrays, {output: target.astype(np.float32)})


def _said(model: keras.Model, arrays: Arrays) -> NDArray[np.float32]:
    (said,) = model(arrays, training=False).values()
    return np.asarray(keras.ops.convert_to_numpy(said))


def _events(inputs: Mapping[str, CollectionInputs]) -> Arrays:
    """Return events of all multiplicities, from none to all slots filled."""
    random = np.random.default_rng(1)
    scale = {"GeV": 50.0, "rad": np.pi, "none": 1.0}
    arrays: Arrays = {}
    for name, one in inputs.items():
        values = random.uniform(0.01, 1, (EVENTS, *one.shape)) * [scale[unit] for unit in one.units]
        arrays[name] = values.astype(np.float32)
        if one.mask is not None and one.slots is not None:
            filled = np.arange(one.slots) < (np.arange(EVENTS) % (one.slots + 1))[:, None]
            arrays[one.mask] = filled
            arrays[name] *= filled[..., None]
    return arrays


def _with_other_padding(inputs: Mapping[str, CollectionInputs], arrays: Arrays) -> Arrays:
    masked = {name: arrays[one.mask] for name, one in inputs.items() if one.mask is not None}
    other = {
        name: np.where(filled[..., None], arrays[name], np.float32(7.0))
        for name, filled in masked.items()
    }
    return arrays | other


def _in_other_order(
    inputs: Mapping[str, CollectionInputs], arrays: Arrays, collection: str
) -> Arrays:
    mask = inputs[collection].mask
    names = [collection, *([] if mask is None else [mask])]
    return arrays | {name: arrays[name][:, ::-1] for name in names}


def _normalisation(inputs: Mapping[str, CollectionInputs]) -> ClassifierNormalisation:
    columns = {
        name: sum(2 if unit == "rad" else 1 for unit in one.units) for name, one in inputs.items()
    }
    return ClassifierNormalisation(
        {name: (0.5,) * count for name, count in columns.items()},
        {name: (2.0,) * count for name, count in columns.items()},
    )


def _near(said: NDArray[Any], wanted: NDArray[Any]) -> bool:
    return said.shape == wanted.shape and bool(np.all(np.abs(said - wanted) <= TOLERANCE))


def _require(kept: bool, rule: str) -> None:
    if not kept:
        raise ConformanceError(f"this network does not keep the contract: {rule}")
