import numpy as np

from rootflow.config import TrainingConfig
from rootflow.training.plan import make_plan


def test_an_epoch_takes_every_event_once_and_the_next_one_in_another_order() -> None:
    plan = make_plan(TrainingConfig(epochs=2, batch_size=32), 100)
    first, second = plan.order(0, seed=1), plan.order(1, seed=1)
    assert (plan.steps_per_epoch, plan.epochs, plan.steps) == (4, 2, 8)
    np.testing.assert_array_equal(np.sort(first), np.arange(100))
    np.testing.assert_array_equal(np.sort(second), np.arange(100))
    assert np.any(first != second)


def test_the_order_is_a_matter_of_seed_and_epoch() -> None:
    plan = make_plan(TrainingConfig(), 1000)
    np.testing.assert_array_equal(plan.order(3, seed=1), plan.order(3, seed=1))
    assert np.any(plan.order(3, seed=1) != plan.order(3, seed=2))


def test_max_steps_cuts_the_last_epoch_short() -> None:
    plan = make_plan(TrainingConfig(epochs=10, batch_size=32, max_steps=6), 100)
    assert (plan.epochs, plan.steps) == (2, 6)
    assert len(plan.order(0, seed=1)) == 100
    assert len(plan.order(1, seed=1)) == 2 * 32


def test_more_steps_than_epochs_have_change_nothing() -> None:
    plan = make_plan(TrainingConfig(epochs=2, batch_size=32, max_steps=1000), 100)
    assert plan.steps == 8


def test_a_trial_takes_a_few_steps_of_one_epoch() -> None:
    plan = make_plan(TrainingConfig(fast_dev_run=True, batch_size=32), 1_000_000)
    assert (plan.epochs, plan.steps) == (1, 4)
    assert make_plan(TrainingConfig(fast_dev_run=True), 10).steps == 1
