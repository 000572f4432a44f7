"""Does code of one's own keep the contracts of rootflow? For one's own test suite.

`check_architecture` is for networks of classifiers that `model.architecture` names,
`check_reconstruction_architecture` for those of reconstructions, `check_observable` for
`evaluation.observable`; for methods there is `check_method`. A loss is tried before it is used.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from rootflow.config import ClassifierConfig, OwnNetworkConfig
from rootflow.config.model import OwnReconstructionNetworkConfig
from rootflow.dataset import Events
from rootflow.dataset.events import pairs_of_jets
from rootflow.errors import ConformanceError, RootflowError
from rootflow.evaluation.classification.labelled import EventObservable
from rootflow.export.conversion import convert
from rootflow.export.layout import OUTPUTS
from rootflow.exported.contract import TOLERANCES
from rootflow.exported.session import ask, open_session
from rootflow.methods.conformance import check_method
from rootflow.models.architectures import build_model
from rootflow.models.classifier_inputs import CollectionInputs
from rootflow.models.classifiers import build_classifier
from rootflow.models.determinism import make_deterministic
from rootflow.models.normalisation import Normalisation, fit_normalisation
from rootflow.models.saving import load_model, save_model

__all__ = [
    "check_architecture",
    "check_method",
    "check_observable",
    "check_reconstruction_architecture",
]

EVENTS, STEPS, JETS = 64, 3, 5
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
    masks = {name: one.mask for name, one in inputs.items() if one.mask is not None}
    whole = _check_answers(model, arrays, masks)
    if any_order_of is not None:
        turned = _said(model, _last_first(masks, arrays, any_order_of))
        (output,) = whole
        _require(
            _near(output, turned[output], whole[output]),
            f"the order of {any_order_of} does not matter",
        )
    _check_files(model, arrays, whole, config.architecture)


def check_reconstruction_architecture(
    architecture: str, settings: Mapping[str, Any] | None = None, *, any_order: bool = True
) -> None:
    """Check a reconstruction's network that a configuration can name, on made-up events.

    It has to keep what `check_architecture` asks of a classifier's, its assignment has to be a
    probability of two different jets, and b has to change places with bbar when the leptons
    exchange their charges. Arguments and errors are as there; `any_order` is whether the order of
    the jets must not matter.
    """
    make_deterministic()
    keras.utils.set_random_seed(1)
    config = OwnReconstructionNetworkConfig(
        architecture=architecture, settings=dict(settings or {}), no_match=True
    )
    events = _dilepton_events()
    normalisation = fit_normalisation([(events, np.ones(EVENTS))])
    model = build_model(config, events.features, JETS, normalisation)
    arrays, masks = events.inputs(), {"jets": "jet_mask"}
    whole = _check_answers(model, arrays, masks)
    _check_files(model, arrays, whole, architecture)
    said, pairs = whole["assignment"], pairs_of_jets(events.jet_mask)
    _require(bool(np.all(said[~pairs] == 0)), "no probability is of a jet that is not there")
    _require(bool(np.all(said.sum(axis=(1, 2)) < 1.001)), "probabilities add up to 1")
    charges = arrays["leptons"][:, ::-1] * np.array([1, 1, 1, 1, -1], np.float32)
    exchanged = _said(model, arrays | {"leptons": charges})
    _require(
        _near("assignment", exchanged["assignment"], said.swapaxes(1, 2)),
        "b changes places with bbar when the leptons exchange their charges",
    )
    if any_order:
        turned = _said(model, _last_first(masks, arrays, "jets"))["assignment"]
        _require(
            _near("assignment", turned, said[:, ::-1, ::-1]), "the order of jets does not matter"
        )


def check_observable(observable: str, events: Events) -> None:
    """Check what `evaluation.observable` can name: one finite number for each event, its own.

    Raises
    ------
    ConformanceError
        A number depends on the other events.
    UsageError, InputError
        There is no such function, it fails, or it gives other than n finite numbers.
    """
    named = EventObservable(observable, observable, "")
    half = named.values(events.take(slice(0, None, 2)))
    if not np.array_equal(half, named.values(events)[::2]):
        raise ConformanceError(f"{observable}: a value depends on the other events")


def _check_answers(model: keras.Model, arrays: Arrays, masks: Mapping[str, str]) -> Arrays:
    """Return the answers, finite, of each event by itself, whatever is in slots not filled."""
    whole, once_more = _said(model, arrays), _said(model, arrays)
    half = _said(model, {key: array[::2] for key, array in arrays.items()})
    padding = {
        name: np.where(arrays[mask][..., None], arrays[name], np.float32(7.0))
        for name, mask in masks.items()
    }
    hidden = _said(model, arrays | padding)
    for name, said in whole.items():
        _require(bool(np.all(np.isfinite(said))), "what it says is finite")
        _require(_near(name, once_more[name], said), "the same events get one answer")
        _require(
            _near(name, half[name], said[::2]), "an answer does not depend on the other events"
        )
        _require(_near(name, hidden[name], said), "slots that are not filled do not matter")
    return whole


def _check_files(model: keras.Model, arrays: Arrays, whole: Arrays, architecture: str) -> None:
    """Require the same answers of what is saved and read again, and of what is exported."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        try:
            save_model(model, path)
            again = _said(load_model(path), arrays)
        except (RootflowError, TypeError, ValueError) as error:
            raise ConformanceError(
                f"{architecture} cannot be saved and read again: register its layers by "
                f"keras.saving.register_keras_serializable: {error}"
            ) from None
    exported = ask(open_session(convert(model, opset=17).SerializeToString()), arrays)
    for name, said in whole.items():
        _require(_near(name, again[name], said), "read again it says the same")
        _require(_near(name, exported[name], said), "as ONNX it says the same")


def _train(model: keras.Model, arrays: Arrays, label: NDArray[np.integer], classes: int) -> None:
    (output,) = model.output
    target = label[:, None] if classes == 2 else np.eye(classes)[label]
    loss = "binary_crossentropy" if classes == 2 else "categorical_crossentropy"
    model.compile("adam", loss={output: loss}, run_eagerly=True)
    for _ in range(STEPS):
        model.train_on_batch(arrays, {output: target.astype(np.float32)})


def _said(model: keras.Model, arrays: Arrays) -> Arrays:
    said = model(arrays, training=False)
    return {name: np.asarray(keras.ops.convert_to_numpy(each)) for name, each in said.items()}


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


def _dilepton_events() -> Events:
    """Return events of two leptons and two jets or more, as those of ttbar are."""
    random = np.random.default_rng(1)

    def objects(count: int) -> NDArray[np.float64]:
        pt, eta = random.uniform(30, 150, (EVENTS, count)), random.normal(0, 1, (EVENTS, count))
        phi = random.uniform(-np.pi, np.pi, (EVENTS, count))
        return np.stack([pt, eta, phi, pt * np.cosh(eta)], axis=-1)

    mask = np.arange(JETS) < (2 + np.arange(EVENTS) % (JETS - 1))[:, None]
    tags = random.integers(0, 2, (EVENTS, JETS, 1))
    codes = random.choice([11, 13], (EVENTS, 2)) * [-1, 1]
    met = objects(1)[:, 0, [0, 2]]
    return Events(
        features={
            "jets": ("pt", "eta", "phi", "energy", "btag"),
            "leptons": ("pt", "eta", "phi", "energy", "pdg_id"),
            "met": ("pt", "phi"),
            "event": (),
        },
        jets=(np.concatenate([objects(JETS), tags], -1) * mask[..., None]).astype(np.float32),
        jet_mask=mask,
        leptons=np.concatenate([objects(2), codes[..., None]], -1).astype(np.float32),
        met=met.astype(np.float32),
        event=np.zeros((EVENTS, 0), np.float32),
        weight=np.ones(EVENTS),
        assignment=np.tile(np.array([0, 1], np.int32), (EVENTS, 1)),
        neutrinos=random.normal(0, 50, (EVENTS, 2, 3)).astype(np.float32),
    )


def _last_first(masks: Mapping[str, str], arrays: Arrays, collection: str) -> Arrays:
    names = [collection, *([masks[collection]] if collection in masks else [])]
    return arrays | {name: arrays[name][:, ::-1] for name in names}


def _normalisation(inputs: Mapping[str, CollectionInputs]) -> Normalisation:
    columns = {
        name: sum(2 if unit == "rad" else 1 for unit in one.units) for name, one in inputs.items()
    }
    return Normalisation(
        {name: (0.5,) * count for name, count in columns.items()},
        {name: (2.0,) * count for name, count in columns.items()},
    )


def _near(output: str, said: NDArray[Any], wanted: NDArray[Any]) -> bool:
    bound = TOLERANCES[OUTPUTS[output].kind] * np.maximum(1, np.abs(wanted))
    return said.shape == wanted.shape and bool(np.all(np.abs(said - wanted) <= bound))


def _require(kept: bool, rule: str) -> None:
    if not kept:
        raise ConformanceError(f"this network does not keep the contract: {rule}")
