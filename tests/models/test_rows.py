import keras
import numpy as np
import pytest
import vector

from rootflow.analyses.h4l import INPUTS
from rootflow.dataset import Events
from rootflow.models import in_a_row
from toy_four_leptons import H4L_FEATURES, toy_four_leptons


@pytest.fixture(scope="module")
def events() -> Events:
    return toy_four_leptons(500)


def test_leptons_come_one_after_another_and_then_the_event(events: Events) -> None:
    inputs = {"leptons": ["eta", "pt"], "event": ["jet_n", "z2_mass"]}
    rows = in_a_row(events.inputs(), inputs, events.features)
    assert rows.dtype == np.float32
    leptons = events.leptons[..., [1, 0]].reshape(500, 8)
    places = [H4L_FEATURES["event"].index(name) for name in inputs["event"]]
    np.testing.assert_array_equal(rows, np.concatenate([leptons, events.event[:, places]], axis=1))


def test_phi_is_from_the_leading_lepton_in_whichever_slot(events: Events) -> None:
    inputs = {"leptons": ["phi"], "event": []}
    rows = in_a_row(events.inputs(), inputs, events.features)
    momenta = vector.array({"pt": events.leptons[..., 0], "phi": events.leptons[..., 2]})
    np.testing.assert_allclose(rows, momenta.deltaphi(momenta[:, :1]), atol=1e-6)
    order = [1, 3, 0, 2]
    shuffled = {"leptons": events.leptons[:, order], "event": events.event}
    np.testing.assert_array_equal(in_a_row(shuffled, inputs, events.features), rows[:, order])


def test_flavour_and_charge_are_numbers(events: Events) -> None:
    inputs = {"leptons": ["pdg_id"], "event": []}
    leptons = events.leptons[:1].copy()
    leptons[0, :, 4] = [11, -11, 13, -13]
    rows = in_a_row({"leptons": leptons}, inputs, events.features)
    np.testing.assert_array_equal(rows, [[0, -1, 0, 1, 1, -1, 1, 1]])


def test_keras_gives_the_same_bit_by_bit(events: Events) -> None:
    arrays = {name: keras.ops.convert_to_tensor(a) for name, a in events.inputs().items()}
    rows = in_a_row(arrays, INPUTS, events.features, keras.ops)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(rows),
        in_a_row(events.inputs(), INPUTS, events.features),
    )
