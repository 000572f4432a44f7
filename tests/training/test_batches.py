import numpy as np

from rootflow.analyses.ttbar import TtbarConfig
from rootflow.dataset import Dataset
from rootflow.training.reconstruction import ReconstructionTask
from rootflow.training.samples import batches, by_multiplicity

JETS = np.random.default_rng(1).integers(2, 9, 1000)
ORDER = np.random.default_rng(2).permutation(1000)[:900]


def test_every_event_is_in_one_batch() -> None:
    batches = by_multiplicity(ORDER, JETS, 64, [3, 0])
    assert len(batches) == 15
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.sort(ORDER))


def test_events_of_a_batch_have_neighbouring_multiplicities_and_batches_are_shuffled() -> None:
    batches = by_multiplicity(ORDER, JETS, 64, [3, 0])
    spans = [np.ptp(JETS[batch]) for batch in batches]
    assert max(spans) <= 1
    least = [JETS[batch].min() for batch in batches]
    assert least != sorted(least)


def test_the_same_seed_gives_the_same_batches_and_another_one_others() -> None:
    first, again, other = (by_multiplicity(ORDER, JETS, 64, [3, epoch]) for epoch in (0, 0, 1))
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_trimming_leaves_no_jet_out(small_dataset: Dataset, make_config: object) -> None:
    config: TtbarConfig = make_config()
    [folds] = config.data.folds.in_turn()
    sample = ReconstructionTask(small_dataset, config, folds).samples.training
    parts = by_multiplicity(np.arange(len(sample)), sample.jets(), 32, [1])
    seen = 0
    for inputs, _, weight in batches(sample, parts, trim=True):
        filled = inputs["jet_mask"].sum(axis=1)
        slots = inputs["jets"].shape[1]
        assert inputs["jet_mask"].shape[1] == slots
        assert slots == min(count for count in (2, 3, 4, 6, 8) if count >= filled.max())
        assert len(weight) == len(filled)
        seen += filled.sum()
    assert seen == sample.jets().sum()
