"""What a network sees of an event: the event from the side of each lepton."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from rootflow.models.kinematics import Tensor, delta_r, mass, momentum, transverse

KINEMATICS = ("pt", "eta", "phi", "energy")
MUON = 13


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
        jet = self._columns("jets", ops.expand_dims(jets, 1))  # each (n, 1, J)
        own = self._columns("leptons", ops.expand_dims(leptons, 2))  # each (n, 2, 1)
        other = {name: ops.stack([c[:, 1], c[:, 0]], axis=1) for name, c in own.items()}
        jet_p, own_p, other_p = (_momentum(item) for item in (jet, own, other))
        met_p = _missing(self._columns("met", met))
        axes = _axes(own_p, other_p, own["eta"])
        jets_seen = [
            *_seen(jet, jet_p, axes),
            _log(mass(jet_p + own_p)),
            _log(mass(jet_p + other_p)),
            _distance(jet, own),
            _distance(jet, other),
            *(jet[name] for name in self.features["jets"] if name not in KINEMATICS),
        ]
        leptons_seen = [
            _stack(
                *_seen(item, item_p, axes),
                *self._lepton_extras(item),
                _log(mass(own_p + other_p)),
                _distance(own, other),
            )
            for item, item_p in ((own, own_p), (other, other_p))
        ]
        met_turned = ops.einsum("nvab,nb->nva", axes, met_p[:, :3])
        met_seen = [met_turned[..., 0], met_turned[..., 1], _log(transverse(met_p))[:, None]]
        if event is not None:
            met_seen += [column[:, None] for column in ops.unstack(event, axis=-1)]
        return {
            "jets": _stack(*jets_seen),
            "leptons": ops.concatenate(leptons_seen, axis=2),
            "met": ops.expand_dims(_stack(*met_seen), 2),
            "pairs": _pairs(jet, jet_p[:, 0], own_p[:, :, 0], met_p),
            "axes": axes,
        }

    def _columns(self, name: str, array: Tensor) -> dict[str, Tensor]:
        return dict(zip(self.features[name], ops.unstack(array, axis=-1), strict=True))

    def _lepton_extras(self, lepton: Mapping[str, Tensor]) -> list[Tensor]:
        plain = (n for n in self.features["leptons"] if n not in (*KINEMATICS, "pdg_id"))
        extras = [lepton[name] for name in plain]
        if "pdg_id" in lepton:
            extras.append(ops.cast(ops.equal(ops.abs(lepton["pdg_id"]), MUON), "float32"))
        return extras


def to_detector(momenta: Tensor, axes: Tensor) -> Tensor:
    """Return px, py, pz (n, 2, 3) given along the axes of each view in the detector's axes."""
    return ops.einsum("nvab,nva->nvb", axes, momenta)


def _momentum(item: Mapping[str, Tensor]) -> Tensor:
    return momentum(*(item[name] for name in KINEMATICS))


def _missing(met: Mapping[str, Tensor]) -> Tensor:
    return momentum(met["pt"], ops.zeros_like(met["pt"]), met["phi"], met["pt"])


def _axes(own_p: Tensor, other_p: Tensor, own_eta: Tensor) -> Tensor:
    pt = transverse(own_p)
    cosine, sine = own_p[..., 0] / pt, own_p[..., 1] / pt
    zero = ops.zeros_like(cosine)
    side = _sign(cosine * other_p[..., 1] - sine * other_p[..., 0])
    rows = [
        [cosine, sine, zero],
        [-side * sine, side * cosine, zero],
        [zero, zero, _sign(own_eta)],
    ]
    return ops.stack([ops.concatenate(row, axis=-1) for row in rows], axis=2)


def _seen(item: Mapping[str, Tensor], item_p: Tensor, axes: Tensor) -> list[Tensor]:
    turned = ops.matmul(item_p[..., :3], ops.swapaxes(axes, 2, 3))
    pt = ops.maximum(item["pt"], 1e-3)
    return [
        item["eta"] * axes[:, :, 2, 2:],
        _log(item["pt"]),
        _log(item["energy"]),
        turned[..., 0] / pt,
        turned[..., 1] / pt,
    ]


def _pairs(jet: Mapping[str, Tensor], jet_p: Tensor, lepton_p: Tensor, met_p: Tensor) -> Tensor:
    """Return what tells the hypotheses apart, the same for (i, +, j, -) and (j, -, i, +)."""
    with_plus = mass(jet_p + lepton_p[:, :1])[:, :, None]
    with_minus = mass(jet_p + lepton_p[:, 1:])[:, None, :]
    jets_p = jet_p[:, :, None] + jet_p[:, None, :]
    visible = jets_p + ops.sum(lepton_p, axis=1)[:, None, None]
    return _stack(
        _log(ops.maximum(with_plus, with_minus)),
        _log(ops.minimum(with_plus, with_minus)),
        _log(mass(jets_p)),
        _log(mass(visible)),
        _log(transverse(visible + met_p[:, None, None])),
        delta_r(
            *(jet[name][:, 0, :, None] for name in ("eta", "phi")),
            *(jet[name][:, 0, None, :] for name in ("eta", "phi")),
        ),
    )


def _distance(item: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> Tensor:
    return delta_r(item["eta"], item["phi"], other["eta"], other["phi"])


def _log(value: Tensor) -> Tensor:
    return ops.log(1.0 + value)


def _sign(value: Tensor) -> Tensor:
    return ops.where(value < 0.0, -1.0, 1.0)


def _stack(first: Tensor, *others: Tensor) -> Tensor:
    """Stack along a new last axis, the others in the shape of the first."""
    same = (o if o.shape == first.shape else o + ops.zeros_like(first) for o in others)
    return ops.stack([first, *same], axis=-1)
