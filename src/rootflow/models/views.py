"""What a network sees of an event: the event from the side of each lepton."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from rootflow.dataset.events import Signs
from rootflow.models.kinematics import KINEMATICS, Tensor, directions, distance, mass, squared_mass

MUON = 13
COMPUTED_OF = (*KINEMATICS, "pdg_id")
# Where what a lepton sees of a jet has the logarithm of 1 + their mass.
MASS_WITH_OWN = 5
# Signs of what changes its own where all charges do, from the side of each lepton.
CHARGES = np.array([[1.0], [-1.0]], np.float32)


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

    The call takes the arrays of `Events` and returns a dict of tensors, of float32 by default:
    `jets` (n, 2, J, features), `leptons` (n, 2, 2, features) with the own one first,
    `met` (n, 2, 1, features), `pairs` (n, J, J, features) for jet i with the positive and
    jet j with the negative lepton, and `axes` (n, 2, 3, 3), the unit vectors of each view.
    `met` has the features of the event, too; where there are neither these nor MET it is
    left out.

    `features` are the names along the last axis of each array. Those of `signs`, which change with
    the charges or when the event is reflected, are seen as from the side of the own lepton, all
    others as they are, from both sides.
    """

    def __init__(
        self, features: Mapping[str, Sequence[str]], signs: Signs | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.features = features
        self.signs = signs or {}

    def call(
        self,
        jets: Tensor,
        jet_mask: Tensor,
        leptons: Tensor,
        met: Tensor = None,
        event: Tensor = None,
    ) -> dict[str, Tensor]:
        """Return the views of a batch in physical units."""
        # Each quantity is a row: (n, 1, objects) of what is, (n, 2, objects) of what is seen.
        jet = self._rows("jets", ops.where(ops.expand_dims(jet_mask, -1), jets, 0.0))
        lepton = self._rows("leptons", leptons)
        objects = [jet, lepton]
        if met is not None:
            missing = self._rows("met", ops.expand_dims(met, 1))
            objects.append(missing | {"eta": 0.0 * missing["pt"], "energy": missing["pt"]})
        pt, eta, phi, energy = (
            ops.concatenate([each[name] for each in objects], axis=2) for name in KINEMATICS
        )
        count = jets.shape[1]
        of_jets, of_leptons, of_met = slice(count), slice(count, count + 2), slice(count + 2, None)
        direction = directions(eta, phi, axis=1)
        momenta = ops.concatenate([pt * direction, energy], axis=1)  # (n, 4, objects)
        lepton_momenta = momenta[:, :, of_leptons]

        # From the own lepton: the angle about the beam, the distance and the mass with it.
        own_eta, own_phi = (ops.swapaxes(lepton[name], 1, 2) for name in ("eta", "phi"))
        angle = phi - own_phi
        cosine, sine = ops.cos(angle), ops.sin(angle)
        away = distance(eta - own_eta, angle)
        masses = mass(ops.expand_dims(momenta, 2) + ops.expand_dims(lepton_momenta, 3), axis=1)
        log_mass, log_pt, log_energy = ops.split(
            ops.log(1.0 + ops.concatenate([masses, pt, energy], axis=1)), [2, 3], axis=1
        )
        # Reflected so that the own lepton is forwards, and the other one on the side of y > 0.
        forwards = _sign(own_eta)
        side = _sign(_own_first(sine[..., of_leptons])[..., 1:])
        sine = sine * side
        seen = [eta * forwards, _by_both(log_pt), _by_both(log_energy), cosine, sine]
        with_both = [log_mass, _exchanged(log_mass), away, _exchanged(away)]

        reflections = {"charge": CHARGES, "eta": forwards, "phi": side}
        jets_seen = [each[..., of_jets] for each in (*seen, *with_both)]
        jets_seen += self._more("jets", jet, reflections)
        leptons_seen = [each[..., of_leptons] for each in seen]
        leptons_seen += self._more("leptons", lepton, reflections)
        if "pdg_id" in lepton:
            is_muon = ops.equal(ops.abs(lepton["pdg_id"]), MUON)
            leptons_seen.append(_by_both(ops.cast(is_muon, lepton["pdg_id"].dtype)))
        leptons_seen = [_own_first(each) for each in leptons_seen]
        leptons_seen += [_of_leptons_together(each[..., of_leptons]) for each in (log_mass, away)]
        met_seen = []
        if met is not None:
            towards_met = ops.concatenate([each[..., of_met] for each in (cosine, sine)], axis=2)
            met_seen += [towards_met * missing["pt"], _by_both(log_pt[..., of_met])]
        if event is not None:
            whole = self._rows("event", ops.expand_dims(event, 1))
            met_seen += self._more("event", whole, reflections)
        views = {
            "jets": ops.stack(jets_seen, axis=-1),
            "leptons": ops.stack(leptons_seen, axis=-1),
            "pairs": _pairs(
                tuple(each[..., of_jets] for each in (eta, phi, momenta, log_mass)),
                leptons=ops.sum(lepton_momenta, axis=2, keepdims=True),
                met=None if met is None else momenta[..., of_met],
            ),
            "axes": _axes(direction[..., of_leptons], side, forwards),
        }
        if met_seen:
            views["met"] = ops.expand_dims(ops.concatenate(met_seen, axis=2), 2)
        return views

    def _rows(self, collection: str, array: Tensor) -> dict[str, Tensor]:
        """Return each feature (n, 1, objects) of an array (n, objects, features), by name."""
        rows = ops.swapaxes(array, 1, 2)
        return {
            name: rows[:, place : place + 1] for place, name in enumerate(self.features[collection])
        }

    def _more(
        self, collection: str, rows: Mapping[str, Tensor], reflections: Mapping[str, Tensor]
    ) -> list[Tensor]:
        """Return what the leptons see of features of which nothing is computed."""
        left_out = () if collection == "event" else COMPUTED_OF
        seen = {name: _by_both(row) for name, row in rows.items() if name not in left_out}
        for name in seen:
            for change in self.signs.get(collection, {}).get(name, ()):
                seen[name] = seen[name] * reflections[change]
        return list(seen.values())


def to_detector(momenta: Tensor, axes: Tensor) -> Tensor:
    """Return px, py, pz (n, 2, 3) given along the axes of each view in the detector's axes."""
    return ops.squeeze(ops.matmul(ops.expand_dims(momenta, 2), axes), axis=2)


def _sign(value: Tensor) -> Tensor:
    """Return 1 or -1; zero has 1."""
    # What is added is too small to change any number but zero.
    return ops.sign(value + 1e-30)


def _by_both(row: Tensor) -> Tensor:
    """Return what both leptons see alike, (n, 2, objects) of (n, 1, objects)."""
    return ops.concatenate([row, row], axis=1)


def _exchanged(seen: Tensor) -> Tensor:
    """Return what the other lepton sees."""
    return ops.concatenate([seen[:, 1:], seen[:, :1]], axis=1)


def _own_first(seen: Tensor) -> Tensor:
    """Return (n, 2, 2), the own lepton and the other, of what each lepton sees of + and -."""
    own_and_other = [seen[:, :1], ops.concatenate([seen[:, 1:, 1:], seen[:, 1:, :1]], axis=2)]
    return ops.concatenate(own_and_other, axis=1)


def _of_leptons_together(seen: Tensor) -> Tensor:
    """Return (n, 2, 2), what the positive lepton sees of the negative one, four times."""
    once = seen[:, :1, 1:]
    return _by_both(ops.concatenate([once, once], axis=2))


def _axes(direction: Tensor, side: Tensor, forwards: Tensor) -> Tensor:
    """Return the unit vectors (n, 2, 3, 3): to the own lepton, to the other's side, along z."""
    cosine, sine = (ops.swapaxes(direction[:, row : row + 1], 1, 2) for row in (0, 1))
    zero = 0.0 * cosine
    across = ops.concatenate([-sine, cosine], axis=2) * side
    axes = [cosine, sine, zero, across, zero, zero, zero, forwards]
    return ops.reshape(ops.concatenate(axes, axis=2), (-1, 2, 3, 3))


def _pairs(of_jets: tuple[Tensor, ...], leptons: Tensor, met: Tensor | None) -> Tensor:
    """Return what tells the hypotheses apart, the same for (i, +, j, -) and (j, -, i, +).

    Jets have eta, phi (n, 1, J), momenta (n, 4, J), and the logarithm of 1 + mass with each lepton
    (n, 2, J); `leptons` together and `met` have momenta (n, 4, 1).
    """
    etas, phis, jets, log_masses = (
        (ops.expand_dims(each, 3), ops.expand_dims(each, 2)) for each in of_jets
    )
    both = jets[0] + jets[1]
    visible = both + ops.expand_dims(leptons, 3)
    squares = [squared_mass(each, axis=1, keepdims=True) for each in (both, visible)]
    if met is not None:
        with_met = (visible + ops.expand_dims(met, 3))[:, :2]
        squares.append(ops.sum(ops.square(with_met), axis=1, keepdims=True))
    # One root of all: of a concatenation of roots TensorFlow's optimiser makes something else.
    roots = ops.sqrt(ops.relu(ops.concatenate(squares, axis=1)))
    with_plus, with_minus = log_masses[0][:, :1], log_masses[1][:, 1:]
    seen = [
        ops.maximum(with_plus, with_minus),
        ops.minimum(with_plus, with_minus),
        ops.log(1.0 + roots),
        distance(etas[0] - etas[1], phis[0] - phis[1]),
    ]
    return ops.transpose(ops.concatenate(seen, axis=1), (0, 2, 3, 1))
