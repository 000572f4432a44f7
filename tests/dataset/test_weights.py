from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rootflow.config.data import DileptonDataConfig
from rootflow.dataset.manifest import WeightScaling
from rootflow.dataset.weights import (
    ReadFile,
    class_weights,
    effective_events,
    training_weights,
)
from rootflow.errors import InputError
from rootflow.ntuple.reading import Expectation
from small_datasets import plans_of

WEIGHT = np.array([2.0, 1.0, -1.0, 4.0])


def test_keep_leaves_the_proportions() -> None:
    weight, facts = training_weights(WEIGHT, "keep")
    np.testing.assert_allclose(weight, WEIGHT / 1.5)
    assert facts["negative_weight_fraction"] == 0.25
    assert facts["effective_events_before"] == facts["effective_events_after"]
    assert facts["effective_events_before"] == pytest.approx(36 / 22)


def test_absolute_takes_the_sign_away() -> None:
    weight, facts = training_weights(WEIGHT, "absolute")
    np.testing.assert_allclose(weight, np.abs(WEIGHT) / 2)
    assert facts["effective_events_after"] == pytest.approx(64 / 22)


def test_drop_gives_weight_zero() -> None:
    weight, facts = training_weights(WEIGHT, "drop")
    np.testing.assert_allclose(weight, np.array([2, 1, 0, 4]) / 1.75)
    assert facts["effective_events_after"] == pytest.approx(49 / 21)


@pytest.mark.parametrize("policy", ["keep", "absolute", "drop"])
def test_a_mean_of_one(policy: str) -> None:
    weight, facts = training_weights(WEIGHT, policy)  # type: ignore[arg-type]
    assert weight.mean() == pytest.approx(1)
    assert facts["negative_weights"] == policy


def test_equal_weights_are_that_many_effective_events() -> None:
    assert effective_events(np.full(70, 3.5)) == pytest.approx(70)


def test_effective_events_have_the_relative_error_of_the_weighted_count() -> None:
    """The weighted count of a Poisson process has the relative error 1 / sqrt(n_eff)."""
    generator = np.random.default_rng(1)
    weights = generator.exponential(size=400)
    counts = (generator.poisson(1.0, size=(20_000, 400)) * weights).sum(axis=1)
    relative_error = counts.std() / counts.mean()
    assert relative_error == pytest.approx(effective_events(weights) ** -0.5, rel=0.02)


@pytest.mark.parametrize("weight", [[-1.0, -2.0], [1.0, -1.0], [0.0, 0.0]])
@pytest.mark.parametrize("policy", ["keep", "absolute", "drop"])
def test_weights_without_a_positive_sum_are_refused(weight: list[float], policy: str) -> None:
    with pytest.raises(InputError, match="training and validation need a positive sum"):
        training_weights(np.array(weight), policy)  # type: ignore[arg-type]


def _normalisation(read: float, **weights: Any) -> WeightScaling | None:
    """Return how the one sample of files is scaled that has this sum of weights."""
    config = DileptonDataConfig.model_validate({"weights": {"negative": "keep", **weights}})
    (plan,) = plans_of(config, {"ttbar": []})
    return plan.normalise([ReadFile(Path(), {"all events": (5, read)}, Expectation())])


def test_the_factor_is_the_expected_over_the_sum() -> None:
    normalised = _normalisation(
        5000.0, cross_section_pb=88.3, luminosity_fb_inverse=140, sum_of_weights="as_read"
    )
    assert normalised is not None
    assert normalised.factor * 5000 == pytest.approx(88.3e3 * 140)  # events, 88.3e3 fb


def test_the_sum_before_the_ntuple_was_made_goes_before_what_is_read() -> None:
    normalised = _normalisation(
        5000.0, cross_section_pb=1, luminosity_fb_inverse=1, sum_of_weights=1e6
    )
    assert normalised is not None
    assert normalised.factor == pytest.approx(1e-3)


def test_without_a_cross_section_there_is_no_scale() -> None:
    assert _normalisation(5000.0) is None


def test_a_sum_that_is_not_positive_cannot_be_scaled() -> None:
    with pytest.raises(InputError, match="add up to -3"):
        _normalisation(-3.0, cross_section_pb=1, luminosity_fb_inverse=1, sum_of_weights="as_read")


def test_half_of_a_cross_section_is_refused() -> None:
    with pytest.raises(ValueError, match="both cross_section_pb and luminosity_fb_inverse"):
        _normalisation(1.0, cross_section_pb=1)


LABEL = np.array([1, 1, 0, 0, 0], dtype=np.int8)
NOMINAL = np.array([0.1, 0.3, 5.0, -1.0, 2.0])


@pytest.mark.parametrize("negative", ["keep", "absolute", "drop"])
def test_balanced_classes_have_the_same_sum_and_a_mean_of_one(negative: str) -> None:
    weight, _ = class_weights(NOMINAL, LABEL, negative, True)  # type: ignore[arg-type]
    assert weight.mean() == pytest.approx(1)
    assert weight[LABEL == 1].sum() == pytest.approx(weight[LABEL == 0].sum())
    assert weight[1] / weight[0] == pytest.approx(3)
    assert weight[2] / weight[4] == pytest.approx(2.5)
    expected = {"keep": -1, "absolute": 1, "drop": 0}[negative]
    assert weight[3] / weight[2] == pytest.approx(expected / 5)


def test_without_balance_the_classes_keep_their_proportions() -> None:
    weight, _ = class_weights(NOMINAL, LABEL, "keep", False)
    np.testing.assert_allclose(weight, NOMINAL / NOMINAL.mean())


def test_the_report_is_by_class() -> None:
    _, facts = class_weights(NOMINAL, LABEL, "absolute", True)
    assert facts["signal_effective_events_before"] == pytest.approx(0.16 / 0.1)
    assert facts["signal_effective_events_after"] == pytest.approx(0.16 / 0.1)
    assert facts["background_effective_events_before"] == pytest.approx(36 / 30)
    assert facts["background_effective_events_after"] == pytest.approx(64 / 30)
    assert facts["background_negative_weight_fraction"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ([1, 0, 0, 0, 0], "there is 1 event of signal: .* need 2 or more"),
        ([1, 1, 1, 1, 0], "there is 1 event of background: .* need 2 or more"),
        ([0, 0, 0, 0, 0], "there is no event of signal"),
        ([1, 1, 0, -1, -1], "2 of 5 events are of none of the classes: .* needs labels"),
    ],
)
def test_what_has_too_few_of_a_class(label: list[int], message: str) -> None:
    labels = np.array(label, dtype=np.int8)
    with pytest.raises(InputError, match=message):
        class_weights(NOMINAL, labels, "keep", True)


def test_a_class_of_negative_weights_is_named() -> None:
    nominal = np.array([1.0, 1.0, -2.0, 1.0, 0.5])
    with pytest.raises(InputError, match=r"the weights of background of 3 events add up to -0\.5"):
        class_weights(nominal, LABEL, "keep", True)
