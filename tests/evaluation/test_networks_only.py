"""Coverage of posteriors, importance of inputs, cost, event displays."""

import numpy as np
import pytest

from rootflow.config import EvaluationConfig
from rootflow.dataset import Events
from rootflow.errors import ConformanceError
from rootflow.evaluation.reconstruction import Evaluation, evaluate
from rootflow.evaluation.reconstruction.networks import importances
from rootflow.methods.contract import Posterior, Reconstruction
from toy_events import toy_events
from toy_networks import Drawing, ToyNetwork

CONFIG = EvaluationConfig(replicas=50, posterior_events=600, importance_events=0, displays=0)


@pytest.mark.parametrize(("width", "sign"), [(1.0, 0), (1.5, 1), (0.6, -1)])
def test_coverage_says_whether_a_posterior_is_too_wide(width: float, sign: int) -> None:
    (method,) = evaluate(toy_events(800), [Drawing(width)], CONFIG, seed=1).methods
    for name in ("neutrino_px", "antineutrino_pz"):
        found = method.coverage[name]
        place = found.levels.index(0.5)
        distance = (found.shares[place] - 0.5) / found.errors[place]
        assert distance * sign > 4 if sign else abs(distance) < 4


def test_posterior_of_another_shape() -> None:
    class Flat(Drawing):
        def posterior(self, events: Events, samples: int, seed: int) -> Posterior:
            momenta, densities = super().posterior(events, samples, seed)
            return Posterior(momenta[:, 0], densities)

    with pytest.raises(ConformanceError, match=r"network: the posterior of .* events is finite"):
        evaluate(toy_events(100), [Flat()], CONFIG, seed=1)


class ByTag(ToyNetwork):
    """The two best tagged jets, the larger first: nothing else matters."""

    def answer(self, events: Events) -> Reconstruction:
        tag = np.where(events.jet_mask, events.jets[..., 4], -1)
        pair = np.argsort(-tag, axis=1, kind="stable")[:, :2].astype(np.int32)
        solved = np.ones(len(events), bool)
        return Reconstruction(pair, None, np.ones(len(events), np.float32), solved)


def test_importance_is_of_what_a_method_looks_at() -> None:
    events = toy_events(3000)
    pair = ByTag().answer(events).assignment
    events = events.take(np.all(pair == events.assignment, axis=1))
    found = importances(ByTag(), events, 2000, seed=1)
    drops = {(each.collection, each.feature): each.drop for each in found}
    for what in (("jets", "btag"), ("jets", None)):
        assert drops[what].value > 5 * drops[what].error
    for what, drop in drops.items():
        if what not in (("jets", "btag"), ("jets", None)):
            assert drop.value == 0
    assert [each.drop.value for each in found] == sorted(
        (each.drop.value for each in found), reverse=True
    )
    assert found == importances(ByTag(), events, 2000, seed=1)


def test_cost_counts_parameters_of_networks_only(evaluation: Evaluation) -> None:
    assert [method.cost.parameters for method in evaluation.methods] == [1234, *[None] * 4]
    assert all(method.cost.seconds > 0 for method in evaluation.methods)


def test_displays_are_picked_by_rank(evaluation: Evaluation) -> None:
    right, wrong, unsure, furthest = evaluation.displays
    assert right.score > unsure.score
    for display, wanted in ((right, True), (wrong, False)):
        jets = [each.kind.split(":")[1:] for each in display.measured if "jet" in each.kind]
        assert all(true == taken for true, taken in jets) == wanted
    for display in (right, furthest):
        kinds = [particle.kind for particle in display.measured]
        assert kinds[-3:] == ["l+", "l-", "met"]
        assert [each.kind for each in display.generated] == ["nu", "nubar", "t", "tbar"]
