"""What a network that tells signal from background sees of an event."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from rootflow.config import InputsConfig
from rootflow.dataset.events import Features
from rootflow.errors import UsageError
from rootflow.models.kinematics import Tensor
from rootflow.physics.four_leptons import FEATURES

MUON = 13
UNITS = dict(FEATURES)


def chosen_inputs(inputs: InputsConfig) -> dict[str, list[str]]:
    """Return the names that are chosen of each collection of which anything is."""
    return {collection: names for collection, names in inputs.items() if names}


def refuse_unknown_inputs(inputs: InputsConfig, features: Features) -> None:
    """Refuse inputs that the dataset does not have.

    Raises
    ------
    UsageError
        It names the key of the configuration, and the names that are nearest.
    """
    for collection, names in chosen_inputs(inputs).items():
        known = features.get(collection, ())
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=3) or known
                raise UsageError(
                    f"inputs.{collection}: the dataset has no '{name}'; it has "
                    f"{', '.join(near) or 'none at all'}"
                )


@keras.saving.register_keras_serializable(package="rootflow")
class Represent(keras.Layer):  # type: ignore[misc]
    """The columns in which a network sees the chosen features of a collection.

    Momenta, energies and masses are seen by their logarithm; `phi` of leptons by cosine
    and sine of the angle from the lepton of largest pT, so that turning the event about
    the beam changes nothing; `pdg_id` by whether it is a muon, and by the charge; other
    angles by cosine and sine; all else as it is.

    Parameters
    ----------
    collection
        leptons or event.
    names
        Of the features along the last axis.
    chosen
        Those to be seen, in this order.
    """

    def __init__(
        self, collection: str, names: Sequence[str], chosen: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.collection = collection
        self.names = list(names)
        self.chosen = list(chosen)

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        own = {"collection": self.collection, "names": self.names, "chosen": self.chosen}
        return {**super().get_config(), **own}

    def call(self, values: Tensor) -> Tensor:
        """Return (n, 4, columns) of leptons (n, 4, features), or (n, columns) of the event."""
        column = {name: values[..., place] for place, name in enumerate(self.names)}
        see = _see_lepton if self.collection == "leptons" else _see_event
        return ops.stack([seen for name in self.chosen for seen in see(name, column)], axis=-1)


def _see_lepton(name: str, lepton: Mapping[str, Tensor]) -> list[Tensor]:
    value = lepton[name]
    if name in ("pt", "energy"):
        return [ops.log(1.0 + value)]
    if name == "phi":
        return _from_the_leading(value, lepton["pt"])
    if name == "pdg_id":
        is_muon = ops.cast(ops.equal(ops.abs(value), MUON), value.dtype)
        return [is_muon, -ops.sign(value)]
    return [value]


def _from_the_leading(phi: Tensor, pt: Tensor) -> list[Tensor]:
    """Return cosine and sine of the angle from the lepton of largest pT, in whichever slot."""
    leading = ops.cast(ops.equal(pt, ops.max(pt, axis=1, keepdims=True)), pt.dtype)
    share = leading / ops.sum(leading, axis=1, keepdims=True)
    cosine, sine = ops.cos(phi), ops.sin(phi)
    its_cosine = ops.sum(cosine * share, axis=1, keepdims=True)
    its_sine = ops.sum(sine * share, axis=1, keepdims=True)
    return [cosine * its_cosine + sine * its_sine, sine * its_cosine - cosine * its_sine]


def _see_event(name: str, event: Mapping[str, Tensor]) -> list[Tensor]:
    value = event[name]
    if UNITS.get(name) == "GeV":
        return [ops.log(1.0 + value)]
    if UNITS.get(name) == "rad":
        return [ops.cos(value), ops.sin(value)]
    return [value]
