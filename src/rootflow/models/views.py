"""What a network sees of an event: the event from the side of each lepton."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from rootflow.models.columns import Columns, Places
from rootflow.models.kinematics import KINEMATICS, Tensor, distance, mass, momentum

MUON = 13
# Of cosine and sine of the own lepton's angle, the same with the sign of the side where the
# other one is, and the sign of its eta: what makes the nine elements of the axes.
ELEMENTS = np.zeros((5, 9), np.float32)
ELEMENTS[[0, 1, 2, 3, 4], [0, 1, 4, 3, 8]] = 1.0, 1.0, 1.0, -1.0, 1.0


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
        own = slice(jets.shape[1], jets.shape[1] + 2)
        # Of jets, leptons and MET, S objects in this order: each (n, 1, S).
        pt, eta, phi, energy = ops.split(self._objects(jets, leptons, met), 4, axis=1)
        momenta = momentum(pt, eta, phi, energy, axis=1)  # (n, 4, S)
        lepton_momenta = ops.swapaxes(momenta[:, :, own], 1, 2)

        # Of each object from the side of each lepton: (n, 2, S), and of the leptons (n, 2, 1).
        lepton_eta, lepton_phi = (self._column("leptons", leptons, name) for name in ("eta", "phi"))
        angle = phi - lepton_phi
        sine = ops.sin(angle)
        # Of the sines of both leptons that of itself is zero.
        side = _sign(ops.sum(sine[:, :, own], axis=2, keepdims=True))
        forwards = _sign(lepton_eta)
        masses = mass(ops.expand_dims(momenta, 1) + ops.expand_dims(lepton_momenta, 3), axis=-2)
        seen = [
            eta * forwards,
            ops.cos(angle),
            sine * side,
            distance(eta - lepton_eta, angle),
            _log(ops.concatenate([masses, pt, energy], axis=1)),
        ]
        rows = ops.concatenate(seen, axis=1)
        columns = Columns(
            {
                "seen": rows,
                "met": rows[:, 2:6, -1:] * pt[:, :, -1:],
                "jets": jets,
                "leptons": leptons,
                "muons": ops.cast(ops.equal(ops.abs(leptons), MUON), "float32"),
            }
            | ({} if event is None else {"event": event})
        )
        return {
            **{name: columns.pick(places) for name, places in self._places(columns).items()},
            "pairs": _pairs(eta, phi, momenta, rows[:, 8:10]),
            "axes": _axes(lepton_phi, side, forwards),
        }

    def _objects(self, jets: Tensor, leptons: Tensor, met: Tensor) -> Tensor:
        """Return pt, eta, phi and energy (n, 4, S) of jets, leptons and MET, whose eta is 0."""
        rows = [
            ops.take(array, [self.features[name].index(each) for each in KINEMATICS], axis=-1)
            for name, array in (("jets", jets), ("leptons", leptons))
        ]
        of_met = np.zeros((len(self.features["met"]), 4), np.float32)
        of_met[self.features["met"].index("pt"), [0, 3]] = 1.0
        of_met[self.features["met"].index("phi"), 2] = 1.0
        rows.append(ops.expand_dims(ops.matmul(met, of_met), 1))
        return ops.swapaxes(ops.concatenate(rows, axis=1), 1, 2)

    def _column(self, collection: str, array: Tensor, name: str) -> Tensor:
        place = self.features[collection].index(name)
        return array[..., place : place + 1]

    def _places(self, columns: Columns) -> dict[str, Places]:
        """Return where the features are that are seen of jets, leptons and MET, as `call` does."""
        places = columns.places
        eta, x, y, away, masses = places["seen"][:10].reshape(5, 2, -1)
        pt, energy = np.repeat(places["seen"][10:, None], 2, axis=1)
        jets = [eta, pt, energy, x, y, masses, masses[::-1], away, away[::-1]]
        count = len(places["jets"])
        seen_of_jets = [
            *(each[:, :count] for each in jets),
            *(np.stack([extra, extra]) for extra in self._extras("jets", places)),
        ]
        view, lepton = np.array([[0, 0], [1, 1]]), np.array([[0, 1], [1, 0]])  # the own one first
        seen_of_leptons = [
            *(each[view, count + lepton] for each in (eta, pt, energy, x, y)),
            *(extra[lepton] for extra in self._extras("leptons", places)),
            *(np.full((2, 2), each[0, count + 1]) for each in (masses, away)),
        ]
        met_x, met_y = places["met"].reshape(2, 2)
        seen_of_met = [met_x, met_y, pt[:, -1]]
        seen_of_met += [np.full(2, place) for place in places.get("event", ())]
        return {
            "jets": np.stack(seen_of_jets, axis=-1),
            "leptons": np.stack(seen_of_leptons, axis=-1),
            "met": np.stack(seen_of_met, axis=-1)[:, None],
        }

    def _extras(self, collection: str, places: Mapping[str, Places]) -> list[Places]:
        """Return where the features are that are seen as they are, then whether it is a muon."""
        names = self.features[collection]
        plain = (place for place, name in enumerate(names) if name not in (*KINEMATICS, "pdg_id"))
        extras = [places[collection][:, place] for place in plain]
        if "pdg_id" in names:
            extras.append(places["muons"][:, names.index("pdg_id")])
        return extras


def to_detector(momenta: Tensor, axes: Tensor) -> Tensor:
    """Return px, py, pz (n, 2, 3) given along the axes of each view in the detector's axes."""
    return ops.squeeze(ops.matmul(ops.expand_dims(momenta, 2), axes), axis=2)


def _axes(phi: Tensor, side: Tensor, forwards: Tensor) -> Tensor:
    """Return the unit vectors (n, 2, 3, 3) of views whose leptons are at these angles."""
    along = ops.concatenate([ops.cos(phi), ops.sin(phi)], axis=-1)
    parts = ops.concatenate([along, along * side, forwards], axis=-1)
    return ops.reshape(ops.matmul(parts, ELEMENTS), (-1, 2, 3, 3))


def _pairs(eta: Tensor, phi: Tensor, momenta: Tensor, log_masses: Tensor) -> Tensor:
    """Return what tells the hypotheses apart, the same for (i, +, j, -) and (j, -, i, +).

    Parameters
    ----------
    eta, phi, momenta
        (n, 1, S) and (n, 4, S) of all objects.
    log_masses
        (n, 2, S) of each object with each lepton.
    """
    count = eta.shape[2] - 3
    eta, phi, jets, log_masses = (
        (each[..., :count, None], each[..., None, :count])
        for each in (eta, phi, momenta, log_masses)
    )
    both = jets[0] + jets[1]
    visible = both + ops.sum(momenta[:, :, count:-1], axis=2, keepdims=True)[..., None]
    transverse = ops.square(visible[:, :2] + momenta[:, :2, -1:, None])
    with_plus, with_minus = log_masses[0][:, :1], log_masses[1][:, 1:]
    seen = [
        ops.maximum(with_plus, with_minus),
        ops.minimum(with_plus, with_minus),
        _log(
            ops.concatenate(
                [
                    mass(ops.stack([both, visible], axis=1), axis=-3),
                    ops.sqrt(ops.sum(transverse, axis=1, keepdims=True)),
                ],
                axis=1,
            )
        ),
        distance(eta[0] - eta[1], phi[0] - phi[1]),
    ]
    return ops.transpose(ops.concatenate(seen, axis=1), (0, 2, 3, 1))


def _log(value: Tensor) -> Tensor:
    return ops.log(1.0 + value)


def _sign(value: Tensor) -> Tensor:
    """Return 1 or -1; zero has 1."""
    return ops.sign(value + 1e-30)
