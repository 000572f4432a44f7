import numpy as np

from rootflow.models.columns import Columns, Rows

FIRST = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
SECOND = 100 + np.arange(6, dtype=np.float32).reshape(2, 1, 3)


def test_rows_are_picked_by_their_numbers() -> None:
    rows = Rows({"first": FIRST, "second": SECOND})
    assert rows.numbers["first"].tolist() == [0, 1]
    assert rows.numbers["second"].tolist() == [2]
    numbers = np.stack([rows.numbers["first"], np.repeat(rows.numbers["second"], 2)])
    picked = np.asarray(rows.pick(numbers))
    assert picked.shape == (2, 2, 2, 3)
    np.testing.assert_array_equal(picked[:, 0], FIRST)
    np.testing.assert_array_equal(picked[:, 1, 1], SECOND[:, 0])


def test_numbers_are_picked_by_their_places() -> None:
    columns = Columns({"first": FIRST, "second": SECOND})
    for name, array in (("first", FIRST), ("second", SECOND)):
        np.testing.assert_array_equal(columns.pick(columns.places[name]), array)
    turned = columns.pick(columns.places["first"][::-1].T)
    np.testing.assert_array_equal(turned, FIRST[:, ::-1].swapaxes(1, 2))
