import numpy as np
import pytest

from rootflow.config import EvaluationConfig
from rootflow.dataset import Events
from rootflow.errors import InputError, RootflowError, UsageError
from rootflow.evaluation.reconstruction import Evaluation, evaluate
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.methods.contract import Reconstruction
from rootflow.methods.make import make, make_method
from toy_events import FEATURES, toy_events
from toy_networks import ToyNetwork

QUICK = EvaluationConfig(replicas=20)


def changed(events: Events, **arrays: np.ndarray | None) -> Events:
    kept = {name: array for name, array in (events.arrays() | arrays).items() if array is not None}
    return Events(features=FEATURES, **kept)


def metrics_of(events: Events, *methods: object, config: EvaluationConfig = QUICK) -> dict:
    return evaluate(events, methods, config, seed=1).metrics()


def test_accuracies_are_the_weighted_shares() -> None:
    events = toy_events(500)
    weight = np.random.default_rng(1).exponential(1, 500)
    events = changed(events, weight=weight)
    method = make_method("m_lb", 1)
    answers, truth = method.answer(events).assignment, events.assignment
    both = either = selected = total = 0.0
    for event in np.flatnonzero(events.matched):
        agree = [int(answers[event, leg]) == int(truth[event, leg]) for leg in (0, 1)]
        both += weight[event] * all(agree)
        either += weight[event] * any(agree)
        selected += weight[event] * (set(answers[event]) == set(truth[event]))
        total += weight[event]
    found = metrics_of(events, method)
    assert found["assignment_accuracy/m_lb"] == pytest.approx(both / total)
    assert found["either_accuracy/m_lb"] == pytest.approx(either / total)
    assert found["selection_accuracy/m_lb"] == pytest.approx(selected / total)
    assert found["efficiency/m_lb"] == pytest.approx(1)


def test_error_of_the_accuracy_is_binomial() -> None:
    events = toy_events(2000)
    found = metrics_of(events, ToyNetwork(), config=EvaluationConfig(replicas=500))
    accuracy = found["assignment_accuracy/network"]
    expected = np.sqrt(accuracy * (1 - accuracy) / np.sum(events.matched))
    assert found["assignment_accuracy_error/network"] == pytest.approx(expected, rel=0.13)


def test_truth_is_perfect_and_solves_matched_events() -> None:
    events = toy_events(500)
    found = metrics_of(events, make_method("truth", 1))
    assert found["assignment_accuracy/truth"] == pytest.approx(1)
    assert found["efficiency/truth"] == pytest.approx(np.mean(events.matched))
    # The toy's jets and leptons add up to its top quarks, in float32.
    assert found["mtt_bias/truth"] == pytest.approx(0, abs=1e-5)
    assert found["mtt_resolution/truth"] == pytest.approx(0, abs=1e-5)


def test_neutrino_resolution_is_the_spread_given() -> None:
    found = metrics_of(toy_events(5000), ToyNetwork(spread=10.0))
    # Of a uniform distribution of standard deviation 10 the central 68.27 % are half
    # as wide as 0.6827 sqrt(12) 10.
    expected = 0.682689 * np.sqrt(12) * 10 / 2
    for particle in ("neutrino", "antineutrino"):
        for component in ("px", "py", "pz"):
            name = f"{particle}_{component}"
            bias, error = (found[f"{name}_{kind}/network"] for kind in ("bias", "bias_error"))
            assert found[f"{name}_resolution/network"] == pytest.approx(expected, rel=0.04)
            assert abs(bias) < 4 * error


def test_mtt_is_that_of_the_sum_of_all_objects() -> None:
    events = toy_events(300)

    class Doubled(ToyNetwork):
        """Everything in the event twice as hard: m(ttbar) is twice the true one."""

        def answer(self, events: Events) -> Reconstruction:
            answers = make_method("truth", 1).answer(events)
            return answers._replace(neutrinos=answers.neutrinos * np.float32(2))

    doubled = {
        "jets": events.jets * np.array([2, 1, 1, 2, 1], np.float32),
        "leptons": events.leptons * np.array([2, 1, 1, 2, 1], np.float32),
    }
    found = metrics_of(changed(events, **doubled), Doubled("doubled"))
    assert found["mtt_bias/doubled"] == pytest.approx(1, abs=1e-5)
    assert found["mtt_resolution/doubled"] == pytest.approx(0, abs=1e-5)


def test_pairing_does_not_change_mtt() -> None:
    events, methods = toy_events(500), (make_method("delta_r", 1), make_method("m_lb", 1))
    delta_r, m_lb = (method.answer(events).assignment for method in methods)
    assert np.any(delta_r != m_lb)
    found = metrics_of(events, ToyNetwork(), *methods)
    assert found["mtt_resolution/delta_r"] == pytest.approx(found["mtt_resolution/m_lb"])


@pytest.mark.parametrize(
    ("neutrinos", "lender"), [("model", "network"), ("network", "network"), ("truth", "truth")]
)
def test_neutrinos_are_borrowed(neutrinos: str, lender: str) -> None:
    methods = [ToyNetwork(), make_method("m_lb", 1), make_method("truth", 1)]
    config = EvaluationConfig(replicas=20, neutrinos=neutrinos)
    table = evaluate(toy_events(300), methods, config, seed=1).table()
    assert [row["neutrinos_of"] for row in table] == ["network", lender, "truth"]


def test_a_classic_method_of_any_name_is_not_taken_for_the_model() -> None:
    settings = [
        {"method": "smeared_ellipse", "name": "mine", "throws": 5},
        "m_lb",
        {"method": "hybrid", "assignment": "m_lb", "neutrinos": "mine"},
    ]
    config = EvaluationConfig(methods=settings, replicas=20)
    evaluation = evaluate(toy_events(300), [*make(config.methods, 1), ToyNetwork()], config, seed=1)
    mine, m_lb, hybrid, network = evaluation.methods
    assert (mine.neutrinos_of, m_lb.neutrinos_of) == ("mine", "network")
    assert "averaged over 5 throws" in mine.description
    assert hybrid.description == "the jets of m_lb and the neutrinos of mine"
    assert (mine.scores, hybrid.scores) == (None, None)
    assert network.scores is not None
    assert mine.metrics["efficiency"].value < 1


@pytest.mark.parametrize(("methods", "neutrinos"), [((), "model"), ((ToyNetwork(),), "none")])
def test_without_neutrinos_there_is_no_mtt(methods: tuple[ToyNetwork, ...], neutrinos: str) -> None:
    config = EvaluationConfig(replicas=20, neutrinos=neutrinos)
    found = metrics_of(toy_events(300), make_method("m_lb", 1), *methods, config=config)
    assert "assignment_accuracy/m_lb" in found
    assert not [name for name in found if name.startswith("mtt") and name.endswith("m_lb")]


def test_metrics_are_finite_and_each_has_an_error(evaluation: Evaluation) -> None:
    found = evaluation.metrics()
    assert np.all(np.isfinite(list(found.values())))
    for name in found:
        quantity, method = name.split("/")
        assert quantity.endswith("_error") or f"{quantity}_error/{method}" in found


def test_accuracy_by_jets_of_random_is_chance() -> None:
    events = toy_events(20_000)
    (method,) = evaluate(events, [make_method("random", 1)], QUICK, seed=1).methods
    for jets, value, error in zip(
        (2, 3, 4, 5, 6),
        method.accuracy_by["jets"].values,
        method.accuracy_by["jets"].errors,
        strict=True,
    ):
        assert value == pytest.approx(1 / (jets * (jets - 1)), abs=4 * error)


def test_bins_add_up_to_the_whole() -> None:
    events = toy_events(1000)
    config = EvaluationConfig(replicas=20, bins={"mtt": [0, 300, 600, 1e5]})
    (method,) = evaluate(events, [make_method("m_lb", 1)], config, seed=1).methods
    mtt = np.sqrt(
        np.sum(events.tops, axis=1)[:, 3] ** 2
        - np.sum(np.sum(events.tops, axis=1)[:, :3] ** 2, axis=1)
    )
    counts, _ = np.histogram(mtt[events.matched], bins=config.bins["mtt"])
    mean = np.average(method.accuracy_by["mtt"].values, weights=counts)
    assert mean == pytest.approx(method.metrics["assignment_accuracy"].value)


def test_a_bin_without_events_has_no_value() -> None:
    config = EvaluationConfig(replicas=20, bins={"mtt": [1e5, 2e5]})
    (method,) = evaluate(toy_events(100), [ToyNetwork()], config, seed=1).methods
    assert method.accuracy_by["mtt"].values == (None,)
    assert method.relative_accuracy_by["mtt"].values == (None,)


def test_migration_of_a_perfect_method_is_the_diagonal() -> None:
    methods = evaluate(toy_events(3000), [make_method("truth", 1)], QUICK, seed=1).methods
    found = methods[0].observables["mtt"].migration
    shares = np.array(found.shares)
    np.testing.assert_allclose(shares[:, 1:-1], np.eye(len(shares)), atol=0.02)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(found.purity, 1, atol=0.02)
    np.testing.assert_allclose(found.stability, 1, atol=0.02)
    # A fifth of the events is not matched, and so not solved.
    np.testing.assert_allclose(found.efficiency, 0.8, atol=0.1)
    assert found.condition_number == pytest.approx(1, abs=0.3)


def test_every_observable_is_there_and_of_the_truth_exact() -> None:
    network, truth = evaluate(
        toy_events(500), [ToyNetwork(), make_method("truth", 1)], QUICK, seed=1
    ).methods
    assert set(network.observables) == set(truth.observables) == set(OBSERVABLES)
    for name in OBSERVABLES:
        # Float32 of the toy's events; angles of spins are differences of large momenta.
        assert truth.metrics[f"{name}_resolution"].value == pytest.approx(0, abs=3e-3), name
        if name != "delta_phi_ll":  # of the leptons, which are the same
            assert network.metrics[f"{name}_resolution"].value > 1e-3, name


def test_an_evaluation_says_whether_leptons_are_true_ones() -> None:
    events = toy_events(200)
    true = np.full((len(events), 2, 3), 20, np.float32)
    for leptons in (None, true):
        found = evaluate(
            changed(events, true_leptons=leptons), [make_method("truth", 1)], QUICK, seed=1
        )
        assert found.true_leptons is (leptons is not None)


def test_true_angles_are_those_of_the_true_leptons() -> None:
    events = toy_events(400)
    back_to_back = np.tile(np.array([[40, 0, 5], [-40, 0, 5]], np.float32), (400, 1, 1))
    found = evaluate(
        changed(events, true_leptons=back_to_back), [make_method("truth", 1)], QUICK, seed=1
    )
    (method,) = found.methods
    assert method.metrics["delta_phi_ll_bias"].value == pytest.approx(
        np.median(measured_delta_phi(events)) - np.pi, abs=0.02
    )


def measured_delta_phi(events: Events) -> np.ndarray:
    phi = events.leptons[..., FEATURES["leptons"].index("phi")]
    apart = np.abs(phi[:, 0] - phi[:, 1])
    return np.minimum(apart, 2 * np.pi - apart)[events.matched]


def test_methods_with_borrowed_neutrinos_have_observables_of_top_quarks_only() -> None:
    _, borrowed = evaluate(
        toy_events(300), [ToyNetwork(), make_method("m_lb", 1)], QUICK, seed=1
    ).methods
    assert "c_hel" in borrowed.observables
    assert "neutrino_px" not in borrowed.observables


def test_a_better_method_beats_a_worse_one() -> None:
    methods = [ToyNetwork("good", 0.9), ToyNetwork("bad", 0.5)]
    evaluation = evaluate(toy_events(2000), methods, EvaluationConfig(replicas=200), seed=1)
    found = {(each.metric, each.name): each for each in evaluation.comparisons}
    good, bad = (found["assignment_accuracy", name] for name in ("good", "bad"))
    values = [method.metrics["assignment_accuracy"] for method in evaluation.methods]
    assert good.gain.value == pytest.approx(values[0].value - values[1].value)
    assert bad.gain.value == -good.gain.value
    # The same events: the difference is known better than from two samples.
    assert good.gain.error < np.hypot(values[0].error, values[1].error)
    assert good.p_value == pytest.approx(1 / 201)
    assert good.p_value_two_sided == pytest.approx(2 / 201)
    assert bad.p_value == 1


def test_equal_methods_are_not_told_apart() -> None:
    methods = [ToyNetwork("one"), ToyNetwork("two")]
    for each in evaluate(toy_events(300), methods, QUICK, seed=1).comparisons:
        assert each.gain.value == 0
        assert each.p_value == each.p_value_two_sided == 1


def test_complements_and_accuracies_agree() -> None:
    evaluation = evaluate(toy_events(1000), [ToyNetwork(), make_method("m_lb", 1)], QUICK, seed=1)
    first, second = (each.metrics["assignment_accuracy"].value for each in evaluation.methods)
    only_first, only_second = (each.share.value for each in evaluation.complements)
    assert only_first - only_second == pytest.approx(first - second)


def test_accuracy_relative_to_the_reference() -> None:
    config = EvaluationConfig(replicas=20, reference="m_lb")
    network, m_lb = evaluate(
        toy_events(1000), [ToyNetwork(), make_method("m_lb", 1)], config, seed=1
    ).methods
    assert m_lb.relative_accuracy_by["jets"].values == (1,) * 5
    assert m_lb.relative_accuracy_by["jets"].errors == (0,) * 5
    expected = np.divide(network.accuracy_by["jets"].values, m_lb.accuracy_by["jets"].values)
    np.testing.assert_allclose(network.relative_accuracy_by["jets"].values, expected)


def test_confusion_is_by_true_slot() -> None:
    events = toy_events(500)
    truth, random = evaluate(
        events, [make_method("truth", 1), make_method("random", 1)], QUICK, seed=1
    ).methods
    for rows in truth.confusion:
        np.testing.assert_array_equal(np.array(rows)[:, :-1], np.eye(6))
    np.testing.assert_allclose(np.sum(random.confusion.b, axis=1), 1)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"drawn": ["mass"]}, "evaluation.drawn: 'mass' is none of mtt, "),
        ({"unfold": ["mass"]}, "evaluation.unfold: 'mass' is none of mtt, "),
        ({"bins": {"mass": [0, 1]}}, "evaluation.bins: 'mass' is none of jets, btags, met, mtt"),
        ({"reference": "best"}, "evaluation.reference: 'best' is none of network"),
    ],
)
def test_names_that_there_are_not(setting: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        metrics_of(toy_events(10), ToyNetwork(), config=EvaluationConfig(**setting))


def test_scores_that_are_probabilities_are_kept() -> None:
    methods = evaluate(
        toy_events(1000), [ToyNetwork(), make_method("m_lb", 1)], QUICK, seed=1
    ).methods
    network, m_lb = methods
    right, wrong = network.scores.right, network.scores.wrong
    accuracy = network.metrics["assignment_accuracy"].value
    assert right.total / (right.total + wrong.total) == pytest.approx(accuracy)
    assert m_lb.scores is None


def test_no_events() -> None:
    with pytest.raises(InputError, match="the held-out fold is empty"):
        metrics_of(toy_events(10).take(slice(0, 0)), make_method("m_lb", 1))


def test_no_truth() -> None:
    data = changed(toy_events(10), assignment=None, neutrinos=None, tops=None)
    with pytest.raises(InputError, match="is it data"):
        metrics_of(data, make_method("m_lb", 1))


def test_no_matched_event() -> None:
    events = toy_events(10)
    unmatched = changed(events, assignment=np.full_like(events.assignment, -1))
    with pytest.raises(InputError, match="of 10 events to evaluate on 0 have both b jets matched"):
        metrics_of(unmatched, make_method("m_lb", 1))


def test_weights_that_cancel() -> None:
    with pytest.raises(InputError, match="sum of weights that is not positive"):
        metrics_of(changed(toy_events(10), weight=-np.ones(10)), make_method("m_lb", 1))


@pytest.mark.parametrize("name", ["neutrinos", "tops", "weight"])
def test_truth_that_is_not_finite(name: str) -> None:
    events = toy_events(10)
    array = getattr(events, name).copy()
    array[3] = np.nan
    with pytest.raises(InputError, match=f"{name} of 1 of 10 events"):
        metrics_of(changed(events, **{name: array}), make_method("m_lb", 1))


def test_two_methods_of_one_name() -> None:
    with pytest.raises(UsageError, match="a name of its own, these are m_lb, m_lb"):
        metrics_of(toy_events(10), make_method("m_lb", 1), make_method("m_lb", 2))


def test_neutrinos_of_a_method_without() -> None:
    config = EvaluationConfig(replicas=20, neutrinos="m_lb")
    with pytest.raises(UsageError, match="m_lb gives no neutrinos here; allowed: model, none, net"):
        metrics_of(toy_events(10), ToyNetwork(), make_method("m_lb", 1), config=config)


def test_a_method_that_breaks_the_contract() -> None:
    class Broken(ToyNetwork):
        def answer(self, events: Events) -> Reconstruction:
            answers = super().answer(events)
            return answers._replace(assignment=answers.assignment[:, [0, 0]])

    with pytest.raises(RootflowError, match=r"^network: this method .* different jets$"):
        metrics_of(toy_events(100), Broken())
