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
from rootflow.physics.ttbar import AXES, Decay, SpinAngles, spin_angles, visible_system

Values = dict[str, NDArray[np.float32]]
Value = Callable[[Decay, SpinAngles], FloatArray]
Of = Literal["neutrinos", "tops"]
OfMomentum = Callable[[FloatArray], FloatArray]
Quantity = tuple[str, str, str, tuple[float, ...], float, bool, OfMomentum]
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


def _component(axis: int) -> OfMomentum:
    return lambda momentum: momentum[:, axis]


def _gamma(momentum: FloatArray) -> FloatArray:
    return momentum[:, 3] / invariant_mass(momentum)


# Quantity, symbol, unit, bins, reach, whether residuals are relative, and what gives it.
OF_MASSIVE: list[Quantity] = [
    ("pt", r"p_\mathrm{T}", "GeV", (0, 50, 100, 150, 200, 300, 500), 200, False,
     transverse_momentum),
    ("energy", "E", "GeV", (80, 200, 250, 320, 420, 600, 1000), 1.0, True, _component(3)),
    ("gamma", r"\gamma", "", (1, 1.3, 1.6, 2, 2.7, 4, 8), 1.0, True, _gamma),
    ("rapidity", "y", "", RAPIDITIES, 1.5, False, rapidity),
]  # fmt: skip
TRANSVERSE = (-200, -80, -40, -15, 15, 40, 80, 200)
OF_NEUTRINO: list[Quantity] = [
    ("px", "p_x", "GeV", TRANSVERSE, 150, False, _component(0)),
    ("py", "p_y", "GeV", TRANSVERSE, 150, False, _component(1)),
    ("pz", "p_z", "GeV", (-400, -150, -60, -20, 20, 60, 150, 400), 300, False, _component(2)),
    ("p", "|p|", "GeV", (0, 40, 70, 110, 170, 400), 200, False, momentum_size),
    ("pt", r"p_\mathrm{T}", "GeV", (0, 25, 45, 70, 100, 250), 150, False, transverse_momentum),
    ("eta", r"\eta", "", (-3, -1.5, -0.8, -0.25, 0.25, 0.8, 1.5, 3), 3, False, pseudorapidity),
]


def _mass(bins: tuple[float, ...]) -> Quantity:
    return "mass", "m", "GeV", bins, 1.0, True, invariant_mass


# What a decay calls them, positive and negative by name with their symbols, and their quantities.
PARTICLES: list[tuple[str, dict[str, str], list[Quantity]]] = [
    ("tops", {"top": "t", "antitop": r"\bar{t}"},
     [*OF_MASSIVE, _mass((100, 150, 165, 180, 200, 260))]),
    ("w_bosons", {"w_plus": "W^+", "w_minus": "W^-"},
     [*OF_MASSIVE, _mass((20, 60, 75, 86, 100, 160))]),
    ("neutrinos", {"neutrino": r"\nu", "antineutrino": r"\bar{\nu}"}, OF_NEUTRINO),
]  # fmt: skip


def _of_pair(function: OfMomentum) -> Value:
    return lambda decay, _: function(decay.tops.sum(axis=1))


def _of_particle(field: str, side: int, function: OfMomentum) -> Value:
    return lambda decay, _: function(getattr(decay, field)[:, side])


def _to_lepton(side: int) -> Value:
    return lambda decay, _: opening_angle(decay.neutrinos[:, side], decay.leptons[:, side])


def _to_visible(decay: Decay, _: SpinAngles) -> FloatArray:
    return opening_angle(decay.neutrinos.sum(axis=1), visible_system(decay))


def _delta_phi(decay: Decay, _: SpinAngles) -> FloatArray:
    first, second = (np.arctan2(decay.leptons[:, s, 1], decay.leptons[:, s, 0]) for s in (0, 1))
    return np.abs(delta_phi(first, second))


def _cosine(side: int, axis: str) -> Value:
    return lambda _, angles: angles[side][:, AXES.index(axis)]


def _product(first: str, second: str, sign: int) -> Value:
    return lambda _, angles: angles.product(first, second) + sign * angles.product(second, first)


def _observables() -> Iterator[Observable]:
    symbol, mass = r"$m(t\bar{t})$", (300, 380, 430, 500, 600, 750, 1000)
    yield Observable("mtt", symbol, mass, 1.0, _of_pair(invariant_mass), "GeV", relative=True)
    symbol, pt = r"$p_\mathrm{T}(t\bar{t})$", (0, 25, 50, 90, 150, 300)
    yield Observable("pt_tt", symbol, pt, 150, _of_pair(transverse_momentum), "GeV")
    yield Observable("y_tt", r"$y(t\bar{t})$", RAPIDITIES, 1.5, _of_pair(rapidity))
    for field, particles, quantities in PARTICLES:
        of: Of = "tops" if field == "tops" else "neutrinos"
        for side, (name, particle) in enumerate(particles.items()):
            for quantity, shown, unit, bins, reach, relative, function in quantities:
                symbol, value = f"${shown}({particle})$", _of_particle(field, side, function)
                yield Observable(
                    f"{name}_{quantity}", symbol, bins, reach, value, unit, of, relative
                )
    angle = (0, 0.4, 0.8, 1.2, 1.8, 2.4, float(np.pi))
    for side, name, symbol in (
        (0, "angle_neutrino_lepton", r"$\angle(\nu, \ell^+)$"),
        (1, "angle_antineutrino_lepton", r"$\angle(\bar{\nu}, \ell^-)$"),
    ):
        yield Observable(name, symbol, angle, 2, _to_lepton(side), "rad", "neutrinos")
    symbol = r"$\angle(\nu\bar{\nu}, b\bar{b}\ell\ell)$"
    yield Observable("angle_neutrinos_visible", symbol, angle, 2, _to_visible, "rad")
    symbol, phi = r"$|\Delta\phi(\ell\ell)|$", (0, 0.6, 1.2, 1.8, 2.4, float(np.pi))
    yield Observable("delta_phi_ll", symbol, phi, 0.1, _delta_phi, "rad", "neutrinos")
    cosine, product = (-1, -0.6, -0.2, 0.2, 0.6, 1), (-1, -0.4, -0.1, 0.1, 0.4, 1)
    yield Observable("c_hel", r"$c_\mathrm{hel}$", cosine, 2, lambda _, angles: angles.c_hel())
    yield Observable("c_han", r"$c_\mathrm{han}$", cosine, 2, lambda _, angles: angles.c_han())
    for axis in AXES:
        for side, (name, symbol) in enumerate((("plus", "+"), ("minus", "-"))):
            shown = rf"$\cos\theta_{{{symbol}}}^{axis}$"
            yield Observable(f"cos_{axis}_{name}", shown, cosine, 2, _cosine(side, axis))
    for axis in AXES:
        symbol = rf"$\cos\theta_+^{axis}\cos\theta_-^{axis}$"
        yield Observable(f"product_{axis}{axis}", symbol, product, 1.5, _product(axis, axis, 0))
    for first, second in (("r", "k"), ("n", "r"), ("n", "k")):
        for name, symbol, sign in (("plus", "+", 1), ("minus", "-", -1)):
            shown = (
                rf"$\cos\theta_+^{first}\cos\theta_-^{second} {symbol} "
                rf"\cos\theta_+^{second}\cos\theta_-^{first}$"
            )
            value = _product(first, second, sign)
            yield Observable(f"product_{first}{second}_{name}", shown, product, 1.5, value)


OBSERVABLES = {each.name: each for each in _observables()}
