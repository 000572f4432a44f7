import numpy as np

from rootflow.config.training import TrainingConfig
from rootflow.training.trainer import make_schedule


def test_an_epoch_takes_every_event_once_and_the_next_one_in_another_order() -> None:
    schedule = make_schedule(TrainingConfig(epochs=2, batch_size=32), 100)
    first, second = schedule.order(0, seed=1), schedule.order(1, seed=1)
    assert (schedule.steps_per_epoch, schedule.epochs, schedule.steps) == (4, 2, 8)
    np.testing.assert_array_equal(np.sort(first), np.arange(100))
    np.testing.assert_array_equal(np.sort(second), np.arange(100))
    assert np.any(first != second)


def test_the_order_is_a_matter_of_seed_and_epoch() -> None:
    schedule = make_schedule(TrainingConfig(), 1000)
    np.testing.assert_array_equal(schedule.order(3, seed=1), schedule.order(3, seed=1))
    assert np.any(schedule.order(3, seed=1) != schedule.order(3, seed=2))


def test_max_steps_cuts_the_last_epoch_short() -> None:
    schedule = make_schedule(TrainingConfig(epochs=10, batch_size=32, max_steps=6), 100)
    assert (schedule.epochs, schedule.steps) == (2, 6)
    assert len(schedule.order(0, seed=1)) == 100
    assert len(schedule.order(1, seed=1)) == 2 * 32


def test_more_steps_than_epochs_have_change_nothing() -> None:
    schedule = make_schedule(TrainingConfig(epochs=2, batch_size=32, max_steps=1000), 100)
    assert schedule.steps == 8


def test_a_trial_takes_a_few_steps_of_one_epoch() -> None:
    schedule = make_schedule(TrainingConfig(fast_dev_run=True, batch_size=32), 1_000_000)
    assert (schedule.epochs, schedule.steps) == (1, 4)
    assert make_schedule(TrainingConfig(fast_dev_run=True), 10).steps == 1
