import numpy as np

from rootflow.dataset import Events
from rootflow.export.samples import ranges_of
from toy_four_leptons import toy_four_leptons


def test_ranges_are_of_real_objects_in_all_parts(toys: Events) -> None:
    whole = ranges_of([toys])
    halves = ranges_of([toys.take(slice(0, 500)), toys.take(slice(500, None))])
    assert whole.keys() == {"jets", "leptons", "met"}
    for name, array in whole.items():
        np.testing.assert_array_equal(array, halves[name])
    assert whole["jets"].shape == (1, 5, 2)
    assert whole["jets"][0, 0, 0] == toys.jets[toys.jet_mask][:, 0].min() > 0
    assert whole["leptons"].shape == (2, 5, 2)
    np.testing.assert_array_equal(whole["leptons"][0, 4], [-13, -11])
    np.testing.assert_array_equal(whole["met"][0, 0], [toys.met[:, 0].min(), toys.met[:, 0].max()])


def test_collisions_do_not_widen_the_ranges() -> None:
    events = toy_four_leptons(300, labels=(0, 1, -1))
    simulated = events.take(events.label != -1)
    found = ranges_of([events])["event"][0]
    np.testing.assert_array_equal(found[:, 0], simulated.event.min(axis=0))
    np.testing.assert_array_equal(found[:, 1], simulated.event.max(axis=0))
    assert (found[:, 1] < events.event.max(axis=0)).any()
