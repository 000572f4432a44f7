"""What a network sees of an event: the event from the side of each lepton."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from rootflow.models.columns import Columns, Places, Rows
from rootflow.models.kinematics import (
    KINEMATICS,
    Tensor,
    directions,
    distance,
    mass,
    squared_mass,
)

MUON = 13
NOT_JETS = 3  # the last of the objects: both leptons and MET
# Of cosine, sine and 1 in the rows of the axes.
SIGNS_OF_AXES = np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 1]], np.float32)


@keras.saving.register_keras_serializable(package="rootflow")
class LeptonViews(keras.Layer):  # type: ignore[misc]
    """Two views of an event, one from each lepton, both for the same network.

    In a view the lepton that looks is `own`. The axes are turned about the beam and
    reflected so that it is at phi = 0 and eta >= 0, and the other lepton at
    0 <= phi <= pi. What is computed from the views by shared weights does not change
    when the event is turned or reflected, and exchanges b with bbar when the leptons
    exchange their charges. These are the symmetries of ttbar production in the strong
    interaction at leading order; beyond it there is a charge asymmetry of less than a
    percent in pp collisions (arXiv:1109.6830), which the views do not tell.

    The call takes the arrays of `Events` and returns a dict of float32 tensors:
    `jets` (n, 2, J, features), `leptons` (n, 2, 2, features) with the own one first,
    `met` (n, 2, 1, features), `pairs` (n, J, J, features) for jet i with the positive and
    jet j with the negative lepton, and `axes` (n, 2, 3, 3), the unit vectors of each view.
    """

    def __init__(self, features: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.features = {name: list(names) for name, names in features.items()}

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        return {**super().get_config(), "features": self.features}

    def call(
        self, jets: Tensor, jet_mask: Tensor, leptons: Tensor, met: Tensor, event: Tensor = None
    ) -> dict[str, Tensor]:
        """Return the views of a batch in physical units."""
        jets = ops.where(ops.expand_dims(jet_mask, -1), jets, 0.0)
        raw = Columns({"jets": jets, "leptons": leptons, "met": met})
        # Of S objects, jets, leptons and MET: each (n, 1, S), and what else there is of them.
        objects = raw.pick(self._objects(raw.places))
        starts = [1, 2, 3, 4][: objects.shape[1] - 1]
        pt, eta, phi, energy, *more = ops.split(objects, starts, axis=1)
        turned = directions(eta, phi, axis=1)
        momenta = ops.concatenate([pt * turned, energy], axis=1)

        # Of the objects from the side of each lepton: (n, 2, S).
        own_eta, own_phi = (self._column("leptons", leptons, name) for name in ("eta", "phi"))
        angle = phi - own_phi
        both = ops.concatenate([eta, eta, ops.sin(angle)], axis=1)
        signs = _signs(both)
        masses = mass(
            ops.expand_dims(momenta, 2) + ops.expand_dims(momenta[:, :, -NOT_JETS:-1], 3), axis=1
        )
        rows = Rows(
            {
                "eta and sine": both * signs,
                "cosine": ops.cos(angle),
                "distance": distance(eta - own_eta, angle),
                "logs": ops.log(1.0 + ops.concatenate([masses, pt, energy], axis=1)),
                "pt": pt,
                "directions": turned,
            }
            | ({"more": more[0], "muons": _muons(more[0])} if more else {})
        )
        columns = Columns(
            {"rows": rows.all, "signs": signs} | ({} if event is None else {"event": event})
        )
        sides = _Sides(rows.numbers, columns.places)
        jets_seen = rows.pick(sides.jets(self._more("jets")).T)[..., :-NOT_JETS]
        met_seen, met_factors = sides.met()
        axes, factors = sides.axes()
        return {
            "jets": ops.transpose(jets_seen, (0, 2, 3, 1)),
            "leptons": columns.pick(sides.leptons(self._more("leptons"))),
            "met": columns.pick(met_seen) * columns.pick(met_factors),
            "pairs": _pairs(eta, phi, momenta, rows.pick(sides.mass)),
            "axes": columns.pick(axes) * columns.pick(factors) * SIGNS_OF_AXES,
        }

    def _objects(self, places: Mapping[str, Places]) -> Places:
        """Return where the KINEMATICS of jets, leptons and MET are, and what else there is, (., S).

        MET has no eta, and what only jets or leptons have the others have not: there phi is in
        its place, on which nothing that is seen depends.
        """
        names = {name: [*KINEMATICS, *self._more(name)] for name in ("jets", "leptons")}
        names["met"] = ["pt", "phi", "phi", "pt"]
        height = max(map(len, names.values()))
        return np.concatenate(
            [
                np.atleast_2d(places[collection])[
                    :, [self.features[collection].index(name) for name in _padded(wanted, height)]
                ]
                for collection, wanted in names.items()
            ]
        ).T

    def _more(self, collection: str) -> list[str]:
        """Return the features of which nothing is computed, or whether it is a muon."""
        return [name for name in self.features[collection] if name not in KINEMATICS]

    def _column(self, collection: str, array: Tensor, name: str) -> Tensor:
        place = self.features[collection].index(name)
        return array[..., place : place + 1]


class _Sides:
    """Where the features are that are seen from the side of each lepton.

    Parameters
    ----------
    numbers
        Of the rows of `LeptonViews`.
    places
        Of the same rows in one, of the signs and of features of the event.
    """

    def __init__(self, numbers: Mapping[str, Places], places: Mapping[str, Places]) -> None:
        self.eta, self.sine = numbers["eta and sine"].reshape(2, 2)
        self.cosine, self.distance = numbers["cosine"], numbers["distance"]
        self.mass = numbers["logs"][:2]
        self.numbers, self.places = numbers, places
        pt, energy = numbers["logs"][2:]
        self.of_all = [self.eta, pt, energy, self.cosine, self.sine]

    def jets(self, more: Sequence[str]) -> Places:
        """Return the numbers of the rows that are seen of jets, (2, features)."""
        # The other lepton is the own one of the other view.
        seen = [self.mass, self.mass[::-1], self.distance, self.distance[::-1]]
        seen += [self.numbers["more"][place] for place in range(len(more))]
        return np.stack(np.broadcast_arrays(*self.of_all, *seen), axis=-1)

    def leptons(self, more: Sequence[str]) -> Places:
        """Return the places of what is seen of the leptons, (2, 2, features), the own one first."""
        plain = [self.numbers["more"][place] for place, n in enumerate(more) if n != "pdg_id"]
        if "pdg_id" in more:
            plain.append(self.numbers["muons"][more.index("pdg_id")])
        numbers = np.stack(np.broadcast_arrays(*self.of_all, *plain), axis=-1)[:, None]
        lepton = np.array([[0, 1], [1, 0]])[..., None] - NOT_JETS
        seen = self.places["rows"][numbers, lepton]
        of_both = self.places["rows"][[self.mass[0], self.distance[0]], 1 - NOT_JETS]
        return np.concatenate([seen, np.broadcast_to(of_both, (2, 2, 2))], axis=-1)

    def met(self) -> tuple[Places, Places]:
        """Return the places of what is seen of MET and event, (2, 1, features), and of factors."""
        event = self.places.get("event", np.zeros(0, np.int32))
        pt = self.places["rows"][self.numbers["pt"][0], -1]
        numbers = np.stack(np.broadcast_arrays(self.cosine, self.sine, self.of_all[1]), axis=-1)
        seen = np.column_stack([self.places["rows"][numbers, -1], [event, event]])
        factors = np.column_stack([[pt, pt], [pt, pt], *[self._one()] * (1 + len(event))])
        return seen[:, None], factors[:, None]

    def axes(self) -> tuple[Places, Places]:
        """Return the places of the axes' elements without signs, (2, 3, 3), and of factors."""
        one = self._one()
        cosine, sine, _ = self.places["rows"][self.numbers["directions"], -NOT_JETS:-1]
        forwards, side = self.places["signs"].reshape(2, 2)
        elements = [[cosine, sine, one], [sine, cosine, one], [one, one, forwards]]
        factors = [[one, one, one], [side, side, one], [one, one, one]]
        return np.moveaxis(np.array(elements), -1, 0), np.moveaxis(np.array(factors), -1, 0)

    def _one(self) -> Places:
        """Return where each view has a 1: the cosine of the own lepton's angle from itself."""
        return self.places["rows"][self.cosine, [-NOT_JETS, 1 - NOT_JETS]]


def to_detector(momenta: Tensor, axes: Tensor) -> Tensor:
    """Return px, py, pz (n, 2, 3) given along the axes of each view in the detector's axes."""
    return ops.squeeze(ops.matmul(ops.expand_dims(momenta, 2), axes), axis=2)


def _signs(both: Tensor) -> Tensor:
    """Return the signs (n, 4, 1) of the own etas and of the other leptons' angles; 1 of zero."""
    columns = Columns({"both": both})
    first, second = -NOT_JETS, 1 - NOT_JETS
    places = columns.places["both"][np.arange(4), [first, second, second, first]]
    # What is added is too small to change any number but zero.
    return ops.sign(columns.pick(places[:, None]) + 1e-30)


def _muons(ids: Tensor) -> Tensor:
    return ops.cast(ops.equal(ops.abs(ids), MUON), "float32")


def _padded(names: Sequence[str], height: int) -> list[str]:
    return [*names, *["phi"] * (height - len(names))]


def _pairs(eta: Tensor, phi: Tensor, momenta: Tensor, log_masses: Tensor) -> Tensor:
    """Return what tells the hypotheses apart, the same for (i, +, j, -) and (j, -, i, +).

    Parameters
    ----------
    eta, phi, momenta
        (n, 1, S) and (n, 4, S) of all objects.
    log_masses
        (n, 2, S), the logarithm of 1 + mass of each object with each lepton.
    """
    etas, phis, jets, log_masses_of_jets = (
        _both_ways(each[:, :, :-NOT_JETS]) for each in (eta, phi, momenta, log_masses)
    )
    both = jets[0] + jets[1]
    leptons = ops.sum(momenta[:, :, -NOT_JETS:-1], axis=2, keepdims=True)
    visible = both + ops.expand_dims(leptons, 3)
    with_met = (visible + ops.expand_dims(momenta[:, :, -1:], 3))[:, :2]
    squares = [
        squared_mass(both, axis=1, keepdims=True),
        squared_mass(visible, axis=1, keepdims=True),
        ops.sum(ops.square(with_met), axis=1, keepdims=True),
    ]
    # One root of all: of a concatenation of roots TensorFlow's optimiser makes something else.
    roots = ops.sqrt(ops.relu(ops.concatenate(squares, axis=1)))
    with_plus, with_minus = log_masses_of_jets[0][:, :1], log_masses_of_jets[1][:, 1:]
    seen = [
        ops.maximum(with_plus, with_minus),
        ops.minimum(with_plus, with_minus),
        ops.log(1.0 + roots),
        distance(etas[0] - etas[1], phis[0] - phis[1]),
    ]
    return ops.transpose(ops.concatenate(seen, axis=1), (0, 2, 3, 1))


def _both_ways(of_jets: Tensor) -> tuple[Tensor, Tensor]:
    """Return what is known of jets (n, rows, J) along the first and the second axis of pairs."""
    return ops.expand_dims(of_jets, 3), ops.expand_dims(of_jets, 2)
