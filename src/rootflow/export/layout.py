"""What goes into a model and comes out, by itself and as the ntuple production has it.

The flat input is that of a dileptonic top-quark assigner in TopCPToolkit: jets by falling pT,
the leptons with the positive charge first, MET, then features of the event. Momenta are MeV, an
absent object is the padding value, and the PDG id of leptons by their charge has no sign.
"""

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.errors import UsageError
from rootflow.exported.contract import Collection, KindOfOutput, Order
from rootflow.ntuple.objects import mask_name

GEV, NO_UNIT = "GeV", "none"
FLAT_INPUT = "flat_input"
PADDING_VALUE = -999.0
MEV = "MeV"
MEV_IN_A_GEV = 1000.0
# The positive lepton is first: e+ and mu+ have a negative PDG id.
SIGN_OF_PDG_ID = (-1.0, 1.0)
SHORT = {"leptons": "lep", "met": "met"}
FIELD_NAMES = {"energy": "e", "btag": "b_tag", "pdg_id": "pid"}
Units = Mapping[str, Mapping[str, str]]


class Output(NamedTuple):
    """What an output is, and how it is compared."""

    kind: KindOfOutput
    meaning: str


BEST = "probability of the best pair with this jet as that of"
OUTPUTS = {
    "assignment": Output(
        "probability", "joint probability that slot i is the jet of b and slot j that of bbar"
    ),
    "neutrinos": Output("momentum", "momenta of neutrino and antineutrino"),
    "confidence": Output(
        "probability", "probability that the likeliest pair is right, if both of its jets are there"
    ),
    "score": Output("score", "probability that the event is signal"),
    "probabilities": Output("score", "probability of each class"),
    # Of the flat variant, in place of the momenta in GeV.
    "regression": Output("momentum", "momenta of neutrino and antineutrino"),
}
FLAT_ASSIGNMENT = (
    f"{BEST} b (0) and of bbar (1): the largest in each column is the most probable pair"
)


class InputCollection(Collection):
    """A collection as it goes into a model, in rootflow's units."""

    @property
    def features(self) -> tuple[str, ...]:
        """Their names, in their order."""
        return tuple(self.units)

    @property
    def shape(self) -> tuple[int, int]:
        """How many objects and features it has."""
        return 1 if self.slots is None else self.slots, len(self.features)

    @property
    def short(self) -> str:
        """One of its objects as the C++ side calls it."""
        return SHORT.get(self.name, self.name.removesuffix("s"))

    @property
    def group(self) -> str:
        """What the C++ side calls its features."""
        return "global_event_inputs" if self.name == "event" else f"{self.short}_inputs"

    @property
    def names(self) -> list[str]:
        """The features by the names that the C++ side uses."""
        prefix = "" if self.name == "event" else f"{self.short}_"
        return [
            "met_met"
            if (self.name, name) == ("met", "pt")
            else prefix + FIELD_NAMES.get(name, name)
            for name in self.features
        ]

    def units_in(self, unit: str) -> dict[str, str]:
        """Return the units of the features where energies are in `unit`."""
        return {name: unit if own == GEV else own for name, own in self.units.items()}

    def scales(self, unit: str) -> NDArray[np.float32]:
        """Return what turns GeV into the unit where a feature is an energy, (features,)."""
        factor = MEV_IN_A_GEV if unit == MEV else 1.0
        return np.array([factor if own == GEV else 1.0 for own in self.units.values()], np.float32)

    def factors(self) -> NDArray[np.float32]:
        """Return what turns the flat numbers into rootflow's, (objects, features)."""
        factors = np.tile(np.float32(1) / self.scales(MEV), (self.shape[0], 1))
        if self.order == "charge" and "pdg_id" in self.features:
            factors[:, self.features.index("pdg_id")] = SIGN_OF_PDG_ID
        return factors


class Layout(NamedTuple):
    """The collections that go into a model, in the order of its inputs."""

    collections: tuple[InputCollection, ...]

    @property
    def size(self) -> int:
        """How many numbers an event has in the flat input."""
        return sum(rows * columns for rows, columns in (each.shape for each in self.collections))

    @property
    def rows(self) -> list[InputCollection]:
        """The collections that an event has once."""
        return [each for each in self.collections if each.slots is None]

    @property
    def sequences(self) -> list[InputCollection]:
        """The collections of several objects."""
        return [each for each in self.collections if each.slots is not None]


def layout_of(
    events: Events, units: Units, orders: Mapping[str, Order], taken: Container[str]
) -> Layout:
    """Return the collections of events that a model takes, by the names of its inputs.

    `units` are by collection and feature, as in the dataset's manifest, and `orders` those of
    objects that are not by falling pT.
    """
    inputs = events.inputs()
    masks = {name for name, array in inputs.items() if array.dtype == bool}
    collections = []
    for name in (each for each in inputs if each in taken and each not in masks):
        several = inputs[name].ndim > 2
        mask = mask_name(name)
        collections.append(
            InputCollection(
                name=name,
                units={each: _unit(units, name, each) for each in events.features[name]},
                slots=inputs[name].shape[1] if several else None,
                mask=mask if mask in masks else None,
                order=orders.get(name, "pt") if several else None,
            )
        )
    return Layout(tuple(collections))


def _unit(units: Units, collection: str, feature: str) -> str:
    unit = units.get(collection, {}).get(feature)
    if unit is None:
        raise UsageError(f"export: the unit of the feature {feature} of {collection} is not given")
    return unit


def write_flat(inputs: Mapping[str, NDArray[Any]], layout: Layout) -> NDArray[np.float32]:
    """Return events as the C++ side fills them, (n, size)."""
    parts = []
    for each in layout.collections:
        values = inputs[each.name].reshape(-1, *each.shape) / each.factors()
        if each.mask:
            values = np.where(inputs[each.mask][..., np.newaxis], values, PADDING_VALUE)
        parts.append(values.reshape(len(values), -1))
    return np.concatenate(parts, axis=1).astype(np.float32)


def read_flat(flat: Any, layout: Layout, xp: Any = np) -> dict[str, Any]:
    """Return the model's inputs from flat ones (n, size); with `keras.ops` for `xp` in a graph."""
    inputs: dict[str, Any] = {}
    start = 0
    for each in layout.collections:
        rows, columns = each.shape
        values = xp.reshape(flat[:, start : start + rows * columns], (-1, rows, columns))
        start += rows * columns
        scaled = values * each.factors()
        if each.mask:
            if "pt" in each.features:
                there = xp.greater(values[:, :, each.features.index("pt")], 0.0)
            else:
                there = xp.not_equal(values[:, :, 0], PADDING_VALUE)
            inputs[each.mask] = there
            scaled = xp.where(xp.expand_dims(there, -1), scaled, 0.0)
        inputs[each.name] = scaled if each.slots is not None else scaled[:, 0]
    return inputs


def flat_outputs(outputs: Mapping[str, Any], xp: Any = np) -> dict[str, Any]:
    """Return what the flat variant says where the model says `outputs`.

    `assignment` (n, J, 2): in column 0 the probability of the best pair in which this jet is that
    of b, in column 1 the same for bbar; `regression` (n, 2, 3): momenta in MeV. With `keras.ops`
    for `xp` they are those of a graph.
    """
    if "assignment" not in outputs:
        return dict(outputs)
    joint = outputs["assignment"]
    return {
        "assignment": xp.stack([xp.max(joint, axis=2), xp.max(joint, axis=1)], axis=-1),
        "regression": outputs["neutrinos"] * MEV_IN_A_GEV,
    }
