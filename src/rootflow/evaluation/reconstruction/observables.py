"""The observables of an evaluation: one line each."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.physics.kinematics import (
    FloatArray,
    delta_phi,
    invariant_mass,
    momentum_size,
    opening_angle,
    pseudorapidity,
    rapidity,
    transverse_momentum,
)
from rootflow.physics.spin import AXES, SpinAngles, spin_angles
from rootflow.physics.ttbar import Decay, visible_system

Values = dict[str, NDArray[np.float32]]
Value = Callable[[Decay, SpinAngles], FloatArray]
Of = Literal["neutrinos", "tops"]
OfMomentum = Callable[[FloatArray], FloatArray]
RAPIDITIES = (-2.5, -1.4, -0.8, -0.25, 0.25, 0.8, 1.4, 2.5)


class Observable(NamedTuple):
    """A quantity of an event.

    Bias, resolution and migration are looked at in its bins; figures of its distribution have 25 in
    the same range, those of its residuals go as far as `reach`. Its value (n,) is of the decays and
    their spin angles, its unit GeV, rad or empty. One of the neutrinos alone is known to methods
    with neutrinos of their own in every event, the others also need the jets. Residuals of a
    relative one are divided by the truth.
    """

    name: str
    symbol: str
    bins: tuple[float, ...]
    reach: float
    value: Value
    unit: str = ""
    of: Of = "tops"
    relative: bool = False

    @property
    def axis(self) -> str:
        """The symbol with its unit."""
        return f"{self.symbol} [{self.unit}]" if self.unit else self.symbol

    @property
    def residual_axis(self) -> str:
        """What a residual is, with its unit."""
        if self.relative:
            return f"({self.symbol} reconstructed $-$ true) / true"
        return f"{self.symbol} reconstructed $-$ true" + (f" [{self.unit}]" if self.unit else "")

    def residuals(
        self, reconstructed: NDArray[np.floating], true: NDArray[np.floating]
    ) -> FloatArray:
        """Return (n,) residuals; NaN where there is none."""
        true = true.astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            difference = reconstructed - true
            if self.unit == "rad":
                difference = delta_phi(reconstructed, true)
            return np.asarray(difference / true if self.relative else difference)


def values_of(decay: Decay) -> Values:
    """Return every observable (n,) by name, float32; not finite where it does not exist."""
    angles = spin_angles(decay)
    with np.errstate(all="ignore"):
        return {
            name: each.value(decay, angles).astype(np.float32) for name, each in OBSERVABLES.items()
        }


def _pair() -> Iterator[Observable]:
    def of_pair(function: OfMomentum) -> Value:
        return lambda decay, _: function(decay.tops.sum(axis=1))

    symbol, mass = r"$m(t\bar{t})$", (300, 380, 430, 500, 600, 750, 1000)
    yield Observable("mtt", symbol, mass, 1.0, of_pair(invariant_mass), "GeV", relative=True)
    symbol, pt = r"$p_\mathrm{T}(t\bar{t})$", (0, 25, 50, 90, 150, 300)
    yield Observable("pt_tt", symbol, pt, 150, of_pair(transverse_momentum), "GeV")
    yield Observable("y_tt", r"$y(t\bar{t})$", RAPIDITIES, 1.5, of_pair(rapidity))


def _particles() -> Iterator[Observable]:
    top, w_boson = (100, 150, 165, 180, 200, 260), (20, 60, 75, 86, 100, 160)
    for field, side, name, symbol, mass in (
        ("tops", 0, "top", "t", top),
        ("tops", 1, "antitop", r"\bar{t}", top),
        ("w_bosons", 0, "w_plus", "W^+", w_boson),
        ("w_bosons", 1, "w_minus", "W^-", w_boson),
    ):
        for quantity, shown, unit, bins, reach, relative, function in (
            ("pt", r"p_\mathrm{T}", "GeV", (0, 50, 100, 150, 200, 300, 500), 200, False,
             transverse_momentum),
            ("energy", "E", "GeV", (80, 200, 250, 320, 420, 600, 1000), 1.0, True, _component(3)),
            ("gamma", r"\gamma", "", (1, 1.3, 1.6, 2, 2.7, 4, 8), 1.0, True, _gamma),
            ("rapidity", "y", "", RAPIDITIES, 1.5, False, rapidity),
            ("mass", "m", "GeV", mass, 1.0, True, invariant_mass),
        ):  # fmt: skip
            of: Of = "tops" if field == "tops" else "neutrinos"
            shown, value = f"${shown}({symbol})$", _of_particle(field, side, function)
            yield Observable(f"{name}_{quantity}", shown, bins, reach, value, unit, of, relative)


def _neutrinos() -> Iterator[Observable]:
    transverse = (-200, -80, -40, -15, 15, 40, 80, 200)
    for side, name, symbol in ((0, "neutrino", r"\nu"), (1, "antineutrino", r"\bar{\nu}")):
        for quantity, shown, unit, bins, reach, function in (
            ("px", "p_x", "GeV", transverse, 150, _component(0)),
            ("py", "p_y", "GeV", transverse, 150, _component(1)),
            ("pz", "p_z", "GeV", (-400, -150, -60, -20, 20, 60, 150, 400), 300, _component(2)),
            ("p", "|p|", "GeV", (0, 40, 70, 110, 170, 400), 200, momentum_size),
            ("pt", r"p_\mathrm{T}", "GeV", (0, 25, 45, 70, 100, 250), 150, transverse_momentum),
            ("eta", r"\eta", "", (-3, -1.5, -0.8, -0.25, 0.25, 0.8, 1.5, 3), 3, pseudorapidity),
        ):
            shown, value = f"${shown}({symbol})$", _of_particle("neutrinos", side, function)
            yield Observable(f"{name}_{quantity}", shown, bins, reach, value, unit, "neutrinos")


def _angles() -> Iterator[Observable]:
    bins = (0, 0.4, 0.8, 1.2, 1.8, 2.4, float(np.pi))
    for side, name, symbol in (
        (0, "angle_neutrino_lepton", r"$\angle(\nu, \ell^+)$"),
        (1, "angle_antineutrino_lepton", r"$\angle(\bar{\nu}, \ell^-)$"),
    ):
        yield Observable(name, symbol, bins, 2, _to_lepton(side), "rad", "neutrinos")
    symbol = r"$\angle(\nu\bar{\nu}, b\bar{b}\ell\ell)$"
    yield Observable("angle_neutrinos_visible", symbol, bins, 2, _to_visible, "rad")
    symbol, phi = r"$|\Delta\phi(\ell\ell)|$", (0, 0.6, 1.2, 1.8, 2.4, float(np.pi))
    yield Observable("delta_phi_ll", symbol, phi, 0.1, _delta_phi, "rad", "neutrinos")


def _spin() -> Iterator[Observable]:
    cosine = (-1, -0.6, -0.2, 0.2, 0.6, 1)
    yield Observable("c_hel", r"$c_\mathrm{hel}$", cosine, 2, lambda _, angles: angles.c_hel())
    yield Observable("c_han", r"$c_\mathrm{han}$", cosine, 2, lambda _, angles: angles.c_han())
    for axis in AXES:
        for sign, side, symbol in (("plus", 0, "+"), ("minus", 1, "-")):
            shown = rf"$\cos\theta_{{{symbol}}}^{axis}$"
            yield Observable(f"cos_{axis}_{sign}", shown, cosine, 2, _cosine(side, axis))
    for axis in AXES:
        yield _product(axis, axis, 0)
    for first, second in (("r", "k"), ("n", "r"), ("n", "k")):
        yield _product(first, second, 1)
        yield _product(first, second, -1)


def _product(first: str, second: str, sign: int) -> Observable:
    one, other = (
        rf"\cos\theta_+^{plus}\cos\theta_-^{minus}"
        for plus, minus in ((first, second), (second, first))
    )
    ending, symbol = {
        0: ("", f"${one}$"),
        1: ("_plus", f"${one} + {other}$"),
        -1: ("_minus", f"${one} - {other}$"),
    }[sign]

    def value(_: Decay, angles: SpinAngles) -> FloatArray:
        return angles.product(first, second) + sign * angles.product(second, first)

    bins = (-1, -0.4, -0.1, 0.1, 0.4, 1)
    return Observable(f"product_{first}{second}{ending}", symbol, bins, 1.5, value)


def _of_particle(field: str, side: int, function: OfMomentum) -> Value:
    return lambda decay, _: function(getattr(decay, field)[:, side])


def _component(axis: int) -> OfMomentum:
    return lambda momentum: momentum[:, axis]


def _cosine(side: int, axis: str) -> Value:
    return lambda _, angles: angles[side][:, AXES.index(axis)]


def _to_lepton(side: int) -> Value:
    return lambda decay, _: opening_angle(decay.neutrinos[:, side], decay.leptons[:, side])


def _to_visible(decay: Decay, _: SpinAngles) -> FloatArray:
    return opening_angle(decay.neutrinos.sum(axis=1), visible_system(decay))


def _delta_phi(decay: Decay, _: SpinAngles) -> FloatArray:
    first, second = (np.arctan2(decay.leptons[:, s, 1], decay.leptons[:, s, 0]) for s in (0, 1))
    return np.abs(delta_phi(first, second))


def _gamma(momentum: FloatArray) -> FloatArray:
    return momentum[:, 3] / invariant_mass(momentum)


OBSERVABLES: dict[str, Observable] = {
    each.name: each for each in (*_pair(), *_particles(), *_neutrinos(), *_angles(), *_spin())
}
