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


class Observable(NamedTuple):
    """A quantity of an event.

    Attributes
    ----------
    name
        As its metrics are logged.
    symbol
        For figures.
    unit
        GeV, rad or empty.
    bins
        Edges in which bias, resolution and migration are looked at; figures of its
        distribution have bins of a quarter of them in the same range.
    reach
        How far figures of the residuals go.
    of
        Whether it is of the neutrinos alone, and so known to methods with neutrinos of their
        own in every event, or also of the jets.
    relative
        Whether residuals are divided by the truth.
    value
        (n,) of the decays and their spin angles.
    """

    name: str
    symbol: str
    unit: str
    bins: tuple[float, ...]
    reach: float
    of: Literal["neutrinos", "tops"]
    relative: bool
    value: Callable[[Decay, SpinAngles], FloatArray]

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
    mass = (300, 380, 430, 500, 600, 750, 1000)
    yield Observable(
        "mtt", r"$m(t\bar{t})$", "GeV", mass, 1.0, "tops", True, _of_pair(invariant_mass)
    )
    pt = (0, 25, 50, 90, 150, 300)
    symbol = r"$p_\mathrm{T}(t\bar{t})$"
    yield Observable("pt_tt", symbol, "GeV", pt, 150, "tops", False, _of_pair(transverse_momentum))
    y = (-2.5, -1.4, -0.8, -0.25, 0.25, 0.8, 1.4, 2.5)
    yield Observable("y_tt", r"$y(t\bar{t})$", "", y, 1.5, "tops", False, _of_pair(rapidity))


def _of_pair(function: Callable[[FloatArray], FloatArray]) -> Callable[..., FloatArray]:
    return lambda decay, _: function(decay.tops.sum(axis=1))


def _particles() -> Iterator[Observable]:
    for field, side, name, symbol, mass in (
        ("tops", 0, "top", "t", (100, 150, 165, 180, 200, 260)),
        ("tops", 1, "antitop", r"\bar{t}", (100, 150, 165, 180, 200, 260)),
        ("w_bosons", 0, "w_plus", "W^+", (20, 60, 75, 86, 100, 160)),
        ("w_bosons", 1, "w_minus", "W^-", (20, 60, 75, 86, 100, 160)),
    ):
        for quantity, shown, unit, bins, reach, relative, function in (
            ("pt", r"p_\mathrm{T}", "GeV", (0, 50, 100, 150, 200, 300, 500), 200, False,
             transverse_momentum),
            ("energy", "E", "GeV", (80, 200, 250, 320, 420, 600, 1000), 1.0, True, _energy),
            ("gamma", r"\gamma", "", (1, 1.3, 1.6, 2, 2.7, 4, 8), 1.0, True, _gamma),
            ("rapidity", "y", "", (-2.5, -1.4, -0.8, -0.25, 0.25, 0.8, 1.4, 2.5), 1.5, False,
             rapidity),
            ("mass", "m", "GeV", mass, 1.0, True, invariant_mass),
        ):  # fmt: skip
            yield Observable(
                f"{name}_{quantity}",
                f"${shown}({symbol})$",
                unit,
                bins,
                reach,
                "tops" if field == "tops" else "neutrinos",
                relative,
                _of_particle(field, side, function),
            )


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
            yield Observable(
                f"{name}_{quantity}",
                f"${shown}({symbol})$",
                unit,
                bins,
                reach,
                "neutrinos",
                False,
                _of_particle("neutrinos", side, function),
            )


def _angles() -> Iterator[Observable]:
    bins = (0, 0.4, 0.8, 1.2, 1.8, 2.4, float(np.pi))
    for side, name, symbol in (
        (0, "angle_neutrino_lepton", r"$\angle(\nu, \ell^+)$"),
        (1, "angle_antineutrino_lepton", r"$\angle(\bar{\nu}, \ell^-)$"),
    ):
        yield Observable(name, symbol, "rad", bins, 2, "neutrinos", False, _to_lepton(side))
    symbol = r"$\angle(\nu\bar{\nu}, b\bar{b}\ell\ell)$"
    yield Observable("angle_neutrinos_visible", symbol, "rad", bins, 2, "tops", False, _to_visible)
    phi = (0, 0.6, 1.2, 1.8, 2.4, float(np.pi))
    yield Observable(
        "delta_phi_ll", r"$|\Delta\phi(\ell\ell)|$", "rad", phi, 0.1, "neutrinos", False, _delta_phi
    )


def _spin() -> Iterator[Observable]:
    cosine = (-1, -0.6, -0.2, 0.2, 0.6, 1)
    for name, symbol in (("c_hel", r"$c_\mathrm{hel}$"), ("c_han", r"$c_\mathrm{han}$")):
        yield Observable(name, symbol, "", cosine, 2, "tops", False, _of_spin(name))
    for axis in AXES:
        for sign, field, symbol in (("plus", 0, "+"), ("minus", 1, "-")):
            shown = rf"$\cos\theta_{{{symbol}}}^{axis}$"
            yield Observable(
                f"cos_{axis}_{sign}", shown, "", cosine, 2, "tops", False, _cosine(field, axis)
            )
    for axis in AXES:
        yield _product(axis, axis, 0)
    for first, second in (("r", "k"), ("n", "r"), ("n", "k")):
        yield _product(first, second, 1)
        yield _product(first, second, -1)


def _product(first: str, second: str, sign: int) -> Observable:
    bins = (-1, -0.4, -0.1, 0.1, 0.4, 1)
    shown = [
        rf"\cos\theta_+^{one}\cos\theta_-^{other}"
        for one, other in ((first, second), (second, first))
    ]
    if sign == 0:
        name, symbol = f"product_{first}{second}", f"${shown[0]}$"
    else:
        name = f"product_{first}{second}_{'plus' if sign > 0 else 'minus'}"
        symbol = f"${shown[0]} {'+' if sign > 0 else '-'} {shown[1]}$"

    def value(decay: Decay, angles: SpinAngles) -> FloatArray:  # noqa: ARG001 - as all others
        return angles.product(first, second) + sign * angles.product(second, first)

    return Observable(name, symbol, "", bins, 1.5, "tops", False, value)


def _of_particle(
    field: str, side: int, function: Callable[[FloatArray], FloatArray]
) -> Callable[..., FloatArray]:
    return lambda decay, _: function(getattr(decay, field)[:, side])


def _component(axis: int) -> Callable[[FloatArray], FloatArray]:
    return lambda momentum: momentum[:, axis]


def _of_spin(name: str) -> Callable[..., FloatArray]:
    return lambda _, angles: getattr(angles, name)()


def _cosine(field: int, axis: str) -> Callable[..., FloatArray]:
    return lambda _, angles: angles[field][:, AXES.index(axis)]


def _to_lepton(side: int) -> Callable[..., FloatArray]:
    return lambda decay, _: opening_angle(decay.neutrinos[:, side], decay.leptons[:, side])


def _to_visible(decay: Decay, _: SpinAngles) -> FloatArray:
    return opening_angle(decay.neutrinos.sum(axis=1), visible_system(decay))


def _delta_phi(decay: Decay, _: SpinAngles) -> FloatArray:
    first, second = (np.arctan2(decay.leptons[:, s, 1], decay.leptons[:, s, 0]) for s in (0, 1))
    return np.abs(delta_phi(first, second))


def _energy(momentum: FloatArray) -> FloatArray:
    return momentum[:, 3]


def _gamma(momentum: FloatArray) -> FloatArray:
    return momentum[:, 3] / invariant_mass(momentum)


OBSERVABLES: dict[str, Observable] = {
    each.name: each for each in (*_pair(), *_particles(), *_neutrinos(), *_angles(), *_spin())
}
