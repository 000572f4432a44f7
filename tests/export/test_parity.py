from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from exporting import about_ttbar
from rootflow.config import FoldingConfig
from rootflow.config.export import ExportConfig
from rootflow.dataset import Events
from rootflow.errors import InputError, RootflowError
from rootflow.export.conversion import Converted, compiled, convert
from rootflow.export.layout import layout_of
from rootflow.export.parity import Row, prove
from rootflow.export.samples import samples_of
from rootflow.export.targets import Named
from rootflow.exported.session import Arrays
from small_network import small_network
from toy_events import UNITS

J = 4
INPUTS = ("jets", "jet_mask", "leptons", "met")


@pytest.fixture(scope="module")
def four_jets(real_events: Events) -> Events:
    """Return a few events with room for four jets."""
    few = real_events.take(slice(0, 300))
    arrays = few.arrays() | {"jets": few.jets[:, :J], "jet_mask": few.jet_mask[:, :J]}
    return Events(features=few.features, **arrays)


@pytest.fixture(scope="module")
def proto() -> onnx.ModelProto:
    return convert(small_network(max_jets=J), 17)


def named(
    proto: onnx.ModelProto, events: Events, says: Callable[[Arrays], Arrays] | None = None
) -> Named:
    layout = layout_of(events, UNITS, {"leptons": "charge"}, INPUTS)
    says = says or compiled(small_network(max_jets=J))
    return Named(about_ttbar(), Converted(proto, layout, says, ExportConfig()))


def proven(variant: Named, events: Events) -> list[Row]:
    return prove([variant], samples_of("reconstruction", events, variant.layout, FoldingConfig()))


def test_every_batch_size_and_multiplicity_is_proven(
    proto: onnx.ModelProto, four_jets: Events
) -> None:
    rows = proven(named(proto, four_jets), four_jets)
    assert {(row["sample"], row["batch_size"]) for row in rows} == {
        (f"{jets} jets", size) for jets in ("2", "3", "4", "2 to 4") for size in (0, 1, 2, 7, 1000)
    }
    for row in rows:
        size = row["batch_size"]
        assert row["events"] >= max(size, 20) if size else row["events"] == 0
        assert row["probability"] <= 1e-5
        assert row["momentum"] <= 1e-3


def test_the_events_have_the_jets_that_the_row_says(
    proto: onnx.ModelProto, four_jets: Events
) -> None:
    seen: list[np.ndarray] = []
    keras_says = compiled(small_network(max_jets=J))

    def watched(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        seen.append(inputs["jet_mask"].sum(axis=1))
        assert np.all((inputs["jets"][..., 0] > 0) == inputs["jet_mask"])
        return keras_says(inputs)

    only_two = four_jets.take(four_jets.jet_mask.sum(axis=1) == 2)
    rows = proven(named(proto, only_two, watched), only_two)
    by_size = [counts for counts in seen if len(counts) == 1000]
    assert [sorted(set(counts)) for counts in by_size] == [[2], [3], [4], [2, 3, 4]]
    assert len(rows) == 20


@pytest.mark.parametrize(
    ("size", "fault"), [(6, "in momentum"), (J**2, "in probability"), (32, "in momentum")]
)
def test_a_weight_that_is_off_is_found(
    proto: onnx.ModelProto, four_jets: Events, size: int, fault: str
) -> None:
    broken = onnx.ModelProto()
    broken.CopyFrom(proto)
    kernel = next(
        each for each in broken.graph.initializer if len(each.dims) == 2 and each.dims[-1] == size
    )
    values = numpy_helper.to_array(kernel).copy()
    values[:, 1] += 0.5
    kernel.CopyFrom(numpy_helper.from_array(values, kernel.name))
    with pytest.raises(RootflowError, match=rf"ttbar_small_.*\.onnx at batch size .*{fault}"):
        proven(named(broken, four_jets), four_jets)


def test_what_is_not_a_number_is_not_the_same(proto: onnx.ModelProto, four_jets: Events) -> None:
    broken = onnx.ModelProto()
    broken.CopyFrom(proto)
    kernel = next(each for each in broken.graph.initializer if list(each.dims) == [32, 6])
    broken_values = np.full((32, 6), np.nan, np.float32)
    kernel.CopyFrom(numpy_helper.from_array(broken_values, kernel.name))
    with pytest.raises(RootflowError, match="nan in momentum"):
        proven(named(broken, four_jets), four_jets)


def test_what_onnxruntime_cannot_load_is_refused(proto: onnx.ModelProto, four_jets: Events) -> None:
    broken = onnx.ModelProto()
    broken.CopyFrom(proto)
    del broken.graph.node[5:]
    with pytest.raises(RootflowError, match=r"onnxruntime cannot run ttbar_small_.*\.onnx"):
        proven(named(broken, four_jets), four_jets)


def test_without_events_there_is_no_proof(proto: onnx.ModelProto, four_jets: Events) -> None:
    with pytest.raises(InputError, match="no events"):
        proven(named(proto, four_jets), four_jets.take(slice(0, 0)))
