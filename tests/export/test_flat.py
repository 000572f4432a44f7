import numpy as np
import pytest

from rootflow.dataset import Events
from rootflow.export.conversion import compiled
from rootflow.export.layout import PADDING_VALUE, Layout, flat_outputs, layout_of, write_flat
from rootflow.export.targets import flat_to_inputs, outputs_to_flat
from toy_events import UNITS


@pytest.fixture(scope="module")
def layout(real_events: Events) -> Layout:
    return layout_of(real_events, UNITS, {"leptons": "charge"}, real_events.inputs())


@pytest.mark.parametrize("padding", [PADDING_VALUE, 0])
def test_the_graph_reads_what_an_ntuple_has(
    layout: Layout, real_events: Events, padding: float
) -> None:
    wanted = real_events.take(slice(0, 200)).inputs()
    flat = write_flat(wanted, layout)
    flat[flat == PADDING_VALUE] = padding
    read = compiled(flat_to_inputs(layout))({"flat_input": flat})
    assert read.keys() == wanted.keys()
    for name in wanted:
        np.testing.assert_allclose(read[name], wanted[name], rtol=3e-7)


def test_the_graph_writes_columns_and_mev() -> None:
    random = np.random.default_rng(4)
    joint = random.random((50, 8, 8)).astype(np.float32)
    neutrinos = random.normal(scale=50, size=(50, 2, 3)).astype(np.float32)
    said = compiled(outputs_to_flat(8))({"joint": joint, "neutrinos": neutrinos})
    wanted = flat_outputs({"assignment": joint, "neutrinos": neutrinos})
    np.testing.assert_array_equal(said["assignment"], wanted["assignment"])
    np.testing.assert_allclose(said["regression"], wanted["regression"])
