"""The classic ttbar methods against the formulas event by event in plain Python, in one run."""

import argparse
import itertools
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rootflow.config import EvaluationConfig, load
from rootflow.dataset import Events, build
from rootflow.dataset.readings.dilepton import Dilepton
from rootflow.formats import find_files
from rootflow.methods.contract import Reconstruction
from rootflow.methods.make import make

REPETITIONS = 3
TOP_MASS, W_MASS = 172.5, 80.379
Vector = list[float]
Plain = Callable[[Vector, Vector, Vector, Vector, float, float], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=["data/ttbar/*.root"], help="ntuples or globs")
    parser.add_argument("--config", type=Path, default=Path("configs/ttbar.yaml"))
    arguments = parser.parse_args()
    config = load(arguments.config)
    with tempfile.TemporaryDirectory() as directory:
        dataset = build(
            config.data,
            {"ttbar": find_files(arguments.files)},
            Path(directory),
            Dilepton.of(config.data),
        )
        events = dataset.events().take(slice(0, 20_000))
    for settings, plain, of_events in (
        ("delta_r", pair_by_delta_r, 2000),
        ("m_lb", pair_by_mass, 2000),
        ("ellipse", solve_ellipses, 100),
        ("sonnenschein", solve_ellipses, 100),
        ({"method": "neutrino_weighting", "eta_step": 0.2}, weigh, 3),
        ({"method": "smeared_ellipse", "throws": 100}, smear, 2),
    ):
        measure(settings, plain, events, of_events)


def measure(settings: Any, plain: Plain, events: Events, of_events: int) -> None:
    """Print how fast a method is, and how much faster than the plain one on fewer events."""
    (method,) = make(EvaluationConfig(methods=[settings]).methods, seed=1)
    few = events.take(slice(0, of_events))
    answer = method.answer(few)  # compiled, or read from where it is kept
    require_agreement(answer, few, plain)

    def ours() -> None:
        method.answer(events)

    def one_by_one() -> None:
        for pairings in pairings_of(few):
            for pairing in pairings:
                plain(*pairing)

    pairs = [
        (seconds(one_by_one) / of_events, seconds(ours) / len(events)) for _ in range(REPETITIONS)
    ]
    print(
        json.dumps(
            {
                "name": f"reconstruction_{method.name}",
                "value": round(1 / statistics.median(fast for _, fast in pairs)),
                "unit": "events/s",
                "reference": f"the formula in plain Python, pair by pair: {plain.__name__}",
                "ratio": round(statistics.median(slow / fast for slow, fast in pairs), 1),
            }
        )
    )


def require_agreement(answer: Reconstruction, events: Events, plain: Plain) -> None:
    """Fail where the plain formula says something else."""
    found = [[plain(*pairing) for pairing in pairings] for pairings in pairings_of(events)]
    if plain in (pair_by_delta_r, pair_by_mass):
        first = [
            pairings[int(np.argmin(costs))][0][0]
            for pairings, costs in zip(pairings_of(events), found, strict=True)
        ]
        chosen = events.jets[np.arange(len(events)), answer.assignment[:, 0], 0]
        np.testing.assert_allclose(chosen, first)
    elif plain is solve_ellipses:
        solved = np.array([any(solutions) for solutions in found])
        assert np.mean(solved == answer.solved) > 0.98  # rounding where two ellipses touch
    elif plain is weigh:
        weights = np.nan_to_num(np.exp(answer.scores))
        np.testing.assert_allclose(weights, np.max(found, axis=1), rtol=1e-3)


def pairings_of(events: Events) -> Iterator[list[tuple[Any, ...]]]:
    """Yield, event by event, both pairings of the two best b-tagged jets with the leptons."""
    for event in range(len(events)):
        jets = [list(map(float, jet)) for jet in events.jets[event][events.jet_mask[event]]]
        best = sorted(jets, key=lambda jet: (-jet[4], -jet[0]))[:2]
        leptons = [list(map(float, lepton)) for lepton in events.leptons[event]]
        pt, phi = map(float, events.met[event])
        met = pt * math.cos(phi), pt * math.sin(phi)
        yield [(*pair, *leptons, *met) for pair in itertools.permutations(best)]


def pair_by_delta_r(b: Vector, bbar: Vector, plus: Vector, minus: Vector, *_: float) -> float:
    return sum(
        math.hypot(jet[1] - lepton[1], math.remainder(jet[2] - lepton[2], 2 * math.pi))
        for jet, lepton in ((b, plus), (bbar, minus))
    )


def pair_by_mass(b: Vector, bbar: Vector, plus: Vector, minus: Vector, *_: float) -> float:
    return max(
        math.sqrt(max(product(total, total), 0))
        for total in (add(momentum(b), momentum(plus)), add(momentum(bbar), momentum(minus)))
    )


def momentum(particle: Vector) -> Vector:
    pt, eta, phi, energy = particle[:4]
    return [pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta), energy]


def add(one: Vector, other: Vector) -> Vector:
    return [a + b for a, b in zip(one, other, strict=True)]


def product(one: Vector, other: Vector) -> float:
    return one[3] * other[3] - sum(a * b for a, b in zip(one[:3], other[:3], strict=True))


def solve_ellipses(
    b: Vector, bbar: Vector, plus: Vector, minus: Vector, x: float, y: float
) -> list[tuple[Any, Any]]:
    """Solve as arXiv:1305.1878 does: conics as matrices, their pencil by its eigenvalues."""
    return crossings(
        *(momentum(particle) for particle in (b, plus, bbar, minus)), x, y, W_MASS, W_MASS
    )


def crossings(
    b: Vector,
    plus: Vector,
    bbar: Vector,
    minus: Vector,
    x: float,
    y: float,
    w_plus: float,
    w_minus: float,
) -> list[tuple[Any, Any]]:
    first, second = ellipse(b, plus, w_plus), ellipse(bbar, minus, w_minus)
    if first is None or second is None:
        return []
    to_transverse = [np.linalg.inv(np.vstack([h[:2], [0, 0, 1]])) for h in (first, second)]
    circle = np.diag([1, 1, -1])
    one, two = (inverse.T @ circle @ inverse for inverse in to_transverse)
    reflection = np.array([[-1, 0, x], [0, -1, y], [0, 0, 1]])
    two = reflection.T @ two @ reflection
    points = conic_crossings(one, two)
    return [
        (first @ to_transverse[0] @ point, second @ to_transverse[1] @ reflection @ point)
        for point in points
    ]


def ellipse(b: Vector, lepton: Vector, w_mass: float) -> Any:
    p, p_b = (math.sqrt(sum(c * c for c in v[:3])) for v in (lepton, b))
    cosine = sum(u * v for u, v in zip(b[:3], lepton[:3], strict=True)) / (p * p_b)
    along = np.array(lepton[:3]) / p
    across = np.array(b[:3]) / p_b - cosine * along
    sine = float(np.linalg.norm(across))
    axes = np.stack([along, across / sine, np.cross(along, across / sine)], axis=1)
    beta, beta_b = min(p / lepton[3], 1.0), min(p_b / b[3], 1.0)
    x0 = -(w_mass**2 - (1 - beta**2) * lepton[3] ** 2) / (2 * lepton[3])
    x0_b = -(TOP_MASS**2 - w_mass**2 - (1 - beta_b**2) * b[3] ** 2) / (2 * b[3])
    s_x = (x0 * beta - p * (1 - beta**2)) / beta**2
    s_y = (x0_b / beta_b - cosine * s_x) / sine
    omega = (beta / beta_b - cosine) / sine
    big = omega**2 + 1 - beta**2
    x1, y1 = s_x - (s_x + omega * s_y) / big, s_y - (s_x + omega * s_y) * omega / big
    z2 = x1**2 * big - (s_y - omega * s_x) ** 2 - w_mass**2 * beta**2 + x0**2
    if z2 <= 0:
        return None
    z, root = math.sqrt(z2), math.sqrt(big)
    return axes @ np.array([[z / root, 0, x1 - p], [omega * z / root, 0, y1], [0, z, 0]])


def conic_crossings(one: Any, two: Any) -> list[Any]:
    values = np.linalg.eigvals(np.linalg.solve(one, two))
    real = min(values, key=lambda value: abs(value.imag)).real
    points = []
    for a, b, c in degenerate_lines(two - real * one):
        start, along = np.array([-a * c, -b * c, a * a + b * b]), np.array([-b, a, 0])
        roots = np.roots([along @ one @ along, 2 * along @ one @ start, start @ one @ start])
        points += [(start + root * along) / start[2] for root in roots.real if not roots.imag.any()]
    return points


def degenerate_lines(conic: Any) -> list[Any]:
    adjugate = -np.array(
        [
            [minor(conic, row, column) * (-1) ** (row + column) for row in range(3)]
            for column in range(3)
        ]
    )
    place = int(np.argmax(np.diag(adjugate)))
    if adjugate[place, place] <= 0:
        return []
    p = adjugate[:, place] / math.sqrt(adjugate[place, place])
    lines = conic + np.array([[0, p[2], -p[1]], [-p[2], 0, p[0]], [p[1], -p[0], 0]])
    row, column = np.unravel_index(np.argmax(np.abs(lines)), (3, 3))
    return [lines[row], lines[:, column]]


def minor(matrix: Any, row: int, column: int) -> float:
    rest = np.delete(np.delete(matrix, row, 0), column, 1)
    return float(rest[0, 0] * rest[1, 1] - rest[0, 1] * rest[1, 0])


def weigh(b: Vector, bbar: Vector, plus: Vector, minus: Vector, x: float, y: float) -> float:
    """Weigh every combination of pseudorapidities."""
    etas = [0.2 * step for step in range(-25, 26)]
    both = [
        list(
            itertools.chain.from_iterable(
                momenta(momentum(jet), momentum(lepton), eta) for eta in etas
            )
        )
        for jet, lepton in ((b, plus), (bbar, minus))
    ]
    return max(
        (
            math.exp(-((x - one[0] - two[0]) ** 2 + (y - one[1] - two[1]) ** 2) / (2 * 15.0**2))
            for one, two in itertools.product(*both)
        ),
        default=0.0,
    )


def momenta(b: Vector, lepton: Vector, eta: float) -> Iterator[tuple[float, float, float]]:
    from_w = (W_MASS**2 - product(lepton, lepton)) / 2
    from_top = (TOP_MASS**2 - W_MASS**2 - product(b, b)) / 2 - product(b, lepton)
    determinant = lepton[0] * b[1] - lepton[1] * b[0]
    cosh, sinh = math.cosh(eta), math.sinh(eta)
    of_lepton, of_b = lepton[3] * cosh - lepton[2] * sinh, b[3] * cosh - b[2] * sinh
    x0 = (lepton[1] * from_top - b[1] * from_w) / determinant
    x1 = (b[1] * of_lepton - lepton[1] * of_b) / determinant
    y0 = (b[0] * from_w - lepton[0] * from_top) / determinant
    y1 = (lepton[0] * of_b - b[0] * of_lepton) / determinant
    a, half, c = x1**2 + y1**2 - 1, x0 * x1 + y0 * y1, x0**2 + y0**2
    if half**2 < a * c:
        return
    for sign in (-1, 1):
        pt = (-half + sign * math.sqrt(half**2 - a * c)) / a
        if pt > 0:
            yield x0 + x1 * pt, y0 + y1 * pt, pt * sinh


def smear(b: Vector, bbar: Vector, plus: Vector, minus: Vector, x: float, y: float) -> None:
    """Throw 100 times and solve each throw."""
    random = np.random.default_rng(1)
    for _ in range(100):
        thrown, thrown_x, thrown_y = [], x, y
        for particle, angle in ((b, 0.01), (bbar, 0.01), (plus, 0.0), (minus, 0.0)):
            pt, eta, phi, energy = particle[:4]
            sigma = math.sqrt((3.4 / pt) ** 2 + 0.75**2 / pt + 0.04**2) if angle else 0.018
            scale = 1 + sigma * random.standard_normal()
            moved = [
                scale * pt,
                eta + angle * random.standard_normal(),
                phi + angle * random.standard_normal(),
                scale * energy,
            ]
            before, after = momentum(particle), momentum(moved)
            thrown.append(after)
            thrown_x, thrown_y = thrown_x + before[0] - after[0], thrown_y + before[1] - after[1]
        w_masses = W_MASS + 1.04 * random.standard_cauchy(2)
        crossings(
            thrown[0], thrown[2], thrown[1], thrown[3], thrown_x, thrown_y, *map(float, w_masses)
        )


def seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
