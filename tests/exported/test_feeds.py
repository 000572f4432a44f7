import numpy as np

from rootflow.exported.contract import Feature, Tensor
from rootflow.exported.feeds import feeds_of
from sealed_files import some_contract


def test_events_go_in_in_the_units_of_the_contract() -> None:
    met = Tensor(
        name="met",
        type="float32",
        shape=("batch", 2),
        meaning="",
        features=(Feature(name="pt", unit="MeV"), Feature(name="phi", unit="rad")),
    )
    mask = Tensor(name="jet_mask", type="bool", shape=("batch", 1), meaning="")
    inputs = {"met": np.float32([[50, 1]]), "jet_mask": np.array([[True]])}
    feeds = feeds_of(some_contract(inputs=(mask, met)), inputs)
    np.testing.assert_array_equal(feeds["met"], np.float32([[50_000, 1]]))
    assert feeds["met"].dtype == np.float32
    assert feeds["jet_mask"].dtype == bool
