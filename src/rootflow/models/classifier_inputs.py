"""What a classifier is given of an event: as a network takes it, and as trees do."""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from rootflow.config import InputsConfig
from rootflow.dataset.events import Events, Features
from rootflow.errors import UsageError
from rootflow.models.kinematics import Tensor
from rootflow.models.normalisation import Normalisation, means_and_scales, powers_of
from rootflow.ntuple.objects import mask_name

MUON = 13
# Of the event as a whole: its angles are not azimuths of anything.
EVENT = "event"
# Not infinite: ONNX graphs choose by multiplying with 0 or 1.
BELOW_ANY_ANGLE = -1000.0


class CollectionInputs(NamedTuple):
    """What a classifier is given of a collection."""

    features: tuple[str, ...]  # all names along the last axis of its array
    units: tuple[str, ...]
    chosen: tuple[str, ...]  # those that the classifier uses, in this order
    slots: int | None = None  # objects of an event, None where it has one, as MET
    mask: str | None = None  # the array that says which slots are filled, None where all are

    def filled(self, arrays: Mapping[str, Tensor]) -> Tensor | None:
        """Return (n, slots) which are filled, None where all are."""
        return None if self.mask is None else arrays[self.mask]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its array, without that of the events."""
        return (*([] if self.slots is None else [self.slots]), len(self.features))


ClassifierInputs = Mapping[str, CollectionInputs]


def chosen_inputs(inputs: InputsConfig) -> dict[str, list[str]]:
    """Return the names that are chosen of each collection of which anything is."""
    return {collection: names for collection, names in inputs.items() if names}


def refuse_unknown_inputs(inputs: InputsConfig, features: Features) -> None:
    """Refuse inputs that there are not."""
    for collection, names in chosen_inputs(inputs).items():
        known = features.get(collection, ())
        if not known:
            there = ", ".join(name for name, of_it in features.items() if of_it)
            raise UsageError(
                f"inputs.{collection}: the dataset has no such collection; it has {there}"
            )
        for name in names:
            if name not in known:
                near = ", ".join(difflib.get_close_matches(name, known, n=3) or known)
                raise UsageError(f"inputs.{collection}: the dataset has no '{name}'; it has {near}")


def classifier_inputs(
    inputs: InputsConfig, events: Events, units: Mapping[str, Mapping[str, str]]
) -> dict[str, CollectionInputs]:
    """Return what is chosen of each collection, in the order that the events have them.

    Of the events, any or none, names and shapes count; units are by collection and feature. An
    input that they do not have is a UsageError that names the key and the nearest names.
    """
    refuse_unknown_inputs(inputs, events.features)
    chosen = chosen_inputs(inputs)
    arrays = events.inputs()
    found = {}
    for collection in (name for name in events.features if name in chosen):
        features, mask = events.features[collection], mask_name(collection)
        array = arrays[collection]
        found[collection] = CollectionInputs(
            features,
            tuple(units[collection][name] for name in features),
            tuple(chosen[collection]),
            array.shape[1] if array.ndim == 3 else None,
            mask if mask in arrays else None,
        )
    return found


def model_inputs(inputs: ClassifierInputs) -> dict[str, keras.KerasTensor]:
    """Return the inputs of a network: the array of each collection, and its mask."""
    given = {}
    for name, collection in inputs.items():
        given[name] = keras.Input(collection.shape, name=name, dtype="float32")
        if collection.mask is not None:
            given[collection.mask] = keras.Input(
                (collection.slots,), name=collection.mask, dtype="bool"
            )
    return given


def represent(inputs: ClassifierInputs, arrays: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the columns in which a network is given the chosen features of each collection.

    What is in GeV becomes its logarithm, with its sign; `phi` of objects cosine and sine of the
    angle from the leading object, so that turning the event about the beam changes nothing; other
    angles cosine and sine; `pdg_id` whether it is a muon, and the charge; all else stays. The
    leading object is that of largest pT of the first collection that has one in every event, and
    where none has, of the first that has any.
    """
    directions: tuple[Tensor, Tensor] | None = None
    leading = _collection_that_leads(inputs)
    if leading is not None:
        of_leading = inputs[leading]
        lead = LeadingDirection(of_leading.features, name=f"leading_{leading}")
        directions = lead(arrays[leading], of_leading.filled(arrays))
    return {
        name: Represent(
            collection.features, collection.units, collection.chosen, name=f"represent_{name}"
        )(arrays[name], None if name == EVENT else directions)
        for name, collection in inputs.items()
    }


def _collection_that_leads(inputs: ClassifierInputs) -> str | None:
    """Return the collection whose leading object azimuths are measured from, if any are."""
    objects = {name: collection for name, collection in inputs.items() if name != EVENT}
    if not any("phi" in collection.chosen for collection in objects.values()):
        return None
    able = [name for name, one in objects.items() if {"pt", "phi"} <= set(one.features)]
    return min(able, key=lambda name: objects[name].mask is not None, default=None)


@keras.saving.register_keras_serializable(package="rootflow")
class LeadingDirection(keras.Layer):  # type: ignore[misc]
    """Cosine and sine of the azimuth of the object of largest pT, in whichever slot."""

    def __init__(self, features: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.features = features

    def call(self, objects: Tensor, filled: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return both, (n, 1), of (n, slots, features) or (n, features); 0 where none is."""
        pt, phi = (objects[..., self.features.index(name)] for name in ("pt", "phi"))
        if len(objects.shape) == 2:
            return ops.cos(phi)[:, None], ops.sin(phi)[:, None]
        if filled is not None:
            pt = ops.where(filled, pt, -ops.ones_like(pt))
        leading = ops.cast(ops.equal(pt, ops.max(pt, axis=1, keepdims=True)), pt.dtype)
        if filled is not None:
            leading = ops.where(filled, leading, ops.zeros_like(leading))
        count = ops.sum(leading, axis=1, keepdims=True)
        share = leading / (count if filled is None else ops.maximum(count, 1.0))
        cosine, sine = ops.cos(phi), ops.sin(phi)
        return (
            ops.sum(cosine * share, axis=1, keepdims=True),
            ops.sum(sine * share, axis=1, keepdims=True),
        )


@keras.saving.register_keras_serializable(package="rootflow")
class Represent(keras.Layer):  # type: ignore[misc]
    """The columns in which a network is given the chosen features, see `represent`."""

    def __init__(
        self, features: Sequence[str], units: Sequence[str], chosen: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.features = features
        self.units = units
        self.chosen = chosen

    def call(self, values: Tensor, direction: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Return the columns along the last axis of (n, slots, features) or (n, features).

        `phi` is measured from a direction, (n, 1) both, or from the axis of the coordinates.
        """
        # Of all features at once: few operations are quicker than many.
        logarithms = ops.sign(values) * ops.log(1.0 + ops.abs(values))
        columns: list[Tensor] = []
        for name in self.chosen:
            place = self.features.index(name)
            unit = self.units[place]
            value = (logarithms if unit == "GeV" else values)[..., place]
            if unit == "rad":
                columns += _directed(ops.cos(value), ops.sin(value), direction, name)
            elif name == "pdg_id":
                is_muon = ops.cast(ops.equal(ops.abs(value), MUON), value.dtype)
                columns += [is_muon, -ops.sign(value)]
            else:
                columns.append(value)
        return ops.stack(columns, axis=-1)


def _directed(
    cosine: Tensor, sine: Tensor, direction: tuple[Tensor, Tensor] | None, name: str
) -> list[Tensor]:
    if direction is None or name != "phi":
        return [cosine, sine]
    along, across = direction
    if len(cosine.shape) == 1:
        along, across = along[:, 0], across[:, 0]
    return [cosine * along + sine * across, sine * along - cosine * across]


def fit_classifier_normalisation(
    chunks: Iterable[tuple[Events, NDArray[np.floating]]], inputs: ClassifierInputs
) -> Normalisation:
    """Return the normalisation of events and their weights, whose signs do not count.

    Only slots that are filled count; the objects of a collection share theirs.
    """

    def sums(events: Events, weight: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
        arrays, found = events.inputs(), {}
        for name, columns in represent(inputs, arrays).items():
            rows = ops.convert_to_numpy(columns).astype(np.float64)
            powers = powers_of(rows.reshape(len(events), -1, rows.shape[-1]))
            filled = inputs[name].filled(arrays)
            if filled is not None:
                powers *= filled[None, :, :, None]
            found[name] = np.einsum("i,pijf->pf", np.abs(weight), powers)
        return found

    return means_and_scales(sums(*chunk) for chunk in chunks)


def in_a_row(arrays: Mapping[str, Tensor], inputs: ClassifierInputs, xp: Any = np) -> Tensor:
    """Return what trees are given of events: object by object, one collection after another.

    Trees ask only whether a value is above another one, so logarithms would change nothing
    and everything stays as it is, but for two features: `phi` of objects is the angle from
    the leading one, as in `represent`, from -pi to pi, and `pdg_id` becomes 1 or 0 for muon
    or not, and the charge. Slots that are not filled are zeros. All of it is exact in
    float32, in numpy as elsewhere: rounding would send events that are next to a threshold
    the other way.

    Of arrays as `Events.inputs()` gives them, of `xp`, numpy or keras.ops, it is (n, columns).
    """
    leading = _collection_that_leads(inputs)
    start = None if leading is None else _leading_angle(inputs[leading], leading, arrays, xp)
    columns: list[Tensor] = []
    for name, collection in inputs.items():
        values, filled = arrays[name], collection.filled(arrays)
        parts = [
            part
            for feature in collection.chosen
            for part in _columns_of(
                values[..., collection.features.index(feature)],
                feature,
                None if name == EVENT else start,
                xp,
            )
        ]
        if filled is not None:
            parts = [xp.where(filled, part, xp.zeros_like(part)) for part in parts]
        if collection.slots is None:
            columns += parts
        else:
            columns += [part[:, slot] for slot in range(collection.slots) for part in parts]
    return xp.stack(columns, axis=-1)


def _columns_of(value: Tensor, name: str, start: Tensor | None, xp: Any) -> list[Tensor]:
    if name == "phi" and start is not None:
        angle = value - (start if len(value.shape) == 2 else start[:, 0])
        turn = 2.0 * math.pi
        angle = xp.where(xp.greater(angle, math.pi), angle - turn, angle)
        return [xp.where(xp.less_equal(angle, -math.pi), angle + turn, angle)]
    if name == "pdg_id":
        one, zero = xp.ones_like(value), xp.zeros_like(value)
        return [xp.where(xp.equal(xp.abs(value), MUON), one, zero), -xp.sign(value)]
    return [value]


def _leading_angle(
    collection: CollectionInputs, name: str, arrays: Mapping[str, Tensor], xp: Any
) -> Tensor:
    """Return (n, 1) the azimuth of the leading object, 0 where there is none."""
    pt, phi = (arrays[name][..., collection.features.index(each)] for each in ("pt", "phi"))
    if collection.slots is None:
        return phi[:, None]
    filled = collection.filled(arrays)
    if filled is not None:
        pt = xp.where(filled, pt, -xp.ones_like(pt))
    leads = xp.equal(pt, xp.max(pt, axis=1, keepdims=True))
    angle = xp.max(xp.where(leads, phi, xp.full_like(phi, BELOW_ANY_ANGLE)), axis=1, keepdims=True)
    if filled is None:
        return angle
    found = xp.max(pt, axis=1, keepdims=True)
    return xp.where(xp.greater_equal(found, 0.0), angle, xp.zeros_like(angle))
