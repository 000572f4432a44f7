import numpy as np
import pytest

from rootflow.config import FoldsConfig
from rootflow.dataset import Events
from rootflow.dataset.folds import fold_of
from rootflow.errors import InputError
from rootflow.training.samples import split

FOLDS = FoldsConfig(count=5, held_out=2)


def test_nothing_of_the_held_out_fold_and_no_event_twice(few_events: Events) -> None:
    parts = split(few_events, FOLDS, 0.25)
    together = np.concatenate(parts)
    assert len(np.unique(together)) == len(together)
    seen = np.flatnonzero(fold_of(few_events.event_number, FOLDS) != 2)
    np.testing.assert_array_equal(np.sort(together), seen)


def test_the_place_in_the_file_does_not_matter(few_events: Events) -> None:
    order = np.random.default_rng(1).permutation(len(few_events))
    shuffled = few_events.take(order)
    for before, after in zip(
        split(few_events, FOLDS, 0.25), split(shuffled, FOLDS, 0.25), strict=True
    ):
        numbers = few_events.event_number[before], shuffled.event_number[after]
        assert set(numbers[0]) == set(numbers[1])


def test_the_fraction_is_that_of_every_fold(real_events: Events) -> None:
    _, validation = split(real_events, FOLDS, 0.1)
    fold = fold_of(real_events.event_number, FOLDS)
    for number in (0, 1, 3, 4):
        share = np.sum(fold[validation] == number) / np.sum(fold == number)
        assert share == pytest.approx(0.1, abs=0.02)  # five standard deviations


def test_no_events_to_validate_with_is_an_error(few_events: Events) -> None:
    with pytest.raises(InputError, match=r"no events to validate with: 3 of 3 events"):
        split(_outside(few_events).take(slice(0, 3)), FOLDS, 1e-9)


def test_no_events_to_train_on_is_an_error(few_events: Events) -> None:
    held_out = few_events.take(fold_of(few_events.event_number, FOLDS) == 2)
    with pytest.raises(InputError, match="no events to train on: 0 of"):
        split(held_out, FOLDS, 0.1)


def _outside(events: Events) -> Events:
    return events.take(fold_of(events.event_number, FOLDS) != 2)
