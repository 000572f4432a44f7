from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from rootflow.export.simplification import simplified
from rootflow.exported.session import open_session
from runtimes import batches, hold_in_every_onnxruntime

SLOTS, WIDTH = 4, 3
BATCHES = (0, 1, 2, 7)
Step = tuple[str, list[str], str] | tuple[str, list[str], str, dict[str, Any]]


def graph(steps: list[Step], opset: int = 17, **constants: Any) -> onnx.ModelProto:
    """Return a model from jets (n, SLOTS, WIDTH) and a mask (n, SLOTS) to the last output."""
    nodes = [
        helper.make_node(step[0], step[1], step[2].split(), **(step[3] if len(step) == 4 else {}))
        for step in steps
    ]
    inputs = [
        helper.make_tensor_value_info("jets", TensorProto.FLOAT, ["batch", SLOTS, WIDTH]),
        helper.make_tensor_value_info("mask", TensorProto.BOOL, ["batch", SLOTS]),
    ]
    outputs = [helper.make_tensor_value_info(steps[-1][2].split()[0], TensorProto.FLOAT, None)]
    values = [numpy_helper.from_array(np.asarray(each), name) for name, each in constants.items()]
    made = helper.make_graph(nodes, "small", inputs, outputs, values)
    opsets = [helper.make_opsetid("", opset)]
    return with_shapes(helper.make_model(made, opset_imports=opsets, ir_version=8))


def events(count: int) -> dict[str, NDArray[Any]]:
    """Return jets of which each event but the first lacks some, with zeros."""
    random = np.random.default_rng(count)
    mask = np.arange(SLOTS) < SLOTS - (np.arange(count) % SLOTS)[:, None]
    jets = random.normal(0, 100, (count, SLOTS, WIDTH)).astype(np.float32)
    return {"jets": jets * mask[..., None], "mask": mask}


def with_shapes(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with an output of known rank."""
    (said,) = open_session(proto.SerializeToString()).run(None, events(2))
    (output,) = proto.graph.output
    shape = [None] * said.ndim
    output.CopyFrom(helper.make_tensor_value_info(output.name, TensorProto.FLOAT, shape))
    return proto


def operations_left(before: onnx.ModelProto, tolerance: float = 0.0) -> list[str]:
    """Return the operations of the simplified model, once it says the same."""
    after = simplified(onnx.ModelProto.FromString(before.SerializeToString()))
    onnx.checker.check_model(after, full_check=True)
    for count in BATCHES:
        asked = events(count)
        wanted, said = (
            open_session(each.SerializeToString()).run(None, asked) for each in (before, after)
        )
        for one, other in zip(wanted, said, strict=True):
            assert one.shape == other.shape
            assert one.dtype == other.dtype
            np.testing.assert_allclose(other, one, rtol=tolerance, atol=tolerance)
    return [node.op_type for node in after.graph.node]


def test_a_shape_that_is_computed_becomes_a_constant() -> None:
    steps: list[Step] = [
        ("Shape", ["jets"], "shape"),
        ("Cast", ["shape"], "short", {"to": TensorProto.INT32}),
        ("Gather", ["short", "first"], "events"),
        ("Concat", ["events", "both"], "flat", {"axis": 0}),
        ("Cast", ["flat"], "long", {"to": TensorProto.INT64}),
        ("Reshape", ["jets", "long"], "row"),
        ("Sin", ["row"], "said"),
    ]
    left = operations_left(graph(steps, first=np.int32([0]), both=np.int32([SLOTS * WIDTH])))
    assert left == ["Reshape", "Sin"]


def test_a_shape_of_two_free_axes_stays() -> None:
    steps: list[Step] = [
        ("Shape", ["jets"], "shape"),
        ("Gather", ["shape", "first"], "events"),
        ("Concat", ["events", "one", "events"], "square", {"axis": 0}),
        ("Expand", ["number", "square"], "said"),
    ]
    left = operations_left(
        graph(steps, first=np.int64([0]), one=np.int64([1]), number=np.float32(2.0))
    )
    assert left == ["Shape", "Gather", "Concat", "Expand"]


def test_what_depends_on_the_events_is_no_constant() -> None:
    steps: list[Step] = [
        ("ReduceSum", ["jets"], "sum", {"keepdims": 0}),
        ("Mul", ["sum", "nought"], "said"),
    ]
    assert operations_left(graph(steps, nought=np.float32(0.0))) == ["ReduceSum", "Mul"]


def test_reshaping_again_and_again_is_done_once() -> None:
    steps: list[Step] = [
        ("Unsqueeze", ["jets", "two"], "wide"),
        ("Reshape", ["wide", "row"], "flat"),
        ("Reshape", ["flat", "halves"], "split"),
        ("Unsqueeze", ["split", "two"], "said"),
    ]
    constants = {"two": [2], "row": [-1, SLOTS * WIDTH], "halves": [-1, 2, SLOTS * WIDTH // 2]}
    assert operations_left(graph(steps, **{n: np.int64(v) for n, v in constants.items()})) == [
        "Reshape"
    ]


def test_a_slice_of_everything_is_left_out_but_turning_round_is_not() -> None:
    ends: dict[str, Any] = {
        "start": np.int64([0]),
        "end": np.int64([2**31 - 1]),
        "last": np.int64([-1]),
        "before": np.int64([-(2**31)]),
        "axis": np.int64([1]),
        "back": np.int64([-1]),
    }
    steps: list[Step] = [
        ("Slice", ["jets", "start", "end", "axis"], "all"),
        ("Slice", ["all", "last", "before", "axis", "back"], "turned"),
        ("Exp", ["nought"], "one"),
        ("Mul", ["turned", "one"], "said"),
    ]
    left = operations_left(graph(steps, **ends, nought=np.float32(0.0)))
    assert left == ["Slice", "Mul"]


@pytest.mark.parametrize(("start", "axis"), [(1, 1), (-1, 1), (2, -1)])
def test_one_of_an_axis_is_picked(start: int, axis: int) -> None:
    steps: list[Step] = [
        ("Slice", ["jets", "start", "end", "axis"], "one"),
        ("Squeeze", ["one", "axis"], "said"),
    ]
    end = start + 1 if start != -1 else 2**31 - 1
    constants = {"start": [start], "end": [end], "axis": [axis]}
    assert operations_left(graph(steps, **{n: np.int64(v) for n, v in constants.items()})) == [
        "Gather"
    ]


def test_what_is_put_in_another_order_is_picked_at_once() -> None:
    steps: list[Step] = [
        ("Sin", ["jets"], "sines"),
        ("Split", ["jets", "thirds"], "pt eta phi", {"axis": 2}),
        ("Slice", ["sines", "one", "three", "two"], "some"),
        ("Squeeze", ["phi", "two"], "angle"),
        ("Unsqueeze", ["angle", "two"], "column"),
        ("Gather", ["eta", "two"], "third", {"axis": 1}),
        ("Concat", ["third", "third", "third", "third"], "repeated", {"axis": 1}),
        ("Concat", ["phi", "some", "pt", "column", "repeated"], "together", {"axis": 2}),
        ("Transpose", ["together"], "turned", {"perm": [0, 2, 1]}),
        ("Cos", ["turned"], "said"),
    ]
    constants = {"thirds": [1, 1, 1], "one": [1], "two": [2], "three": [3]}
    left = operations_left(graph(steps, **{n: np.int64(v) for n, v in constants.items()}))
    assert sorted(left) == ["Concat", "Cos", "Gather", "Reshape", "Reshape", "Sin"]


def test_numbers_of_an_event_are_put_in_a_row_too() -> None:
    steps: list[Step] = [
        ("ReduceSum", ["jets", "axes"], "sum", {"keepdims": 0}),
        ("ReduceMax", ["jets"], "largest", {"axes": [1], "keepdims": 0}),
        ("Unsqueeze", ["sum", "one"], "column"),
        ("Slice", ["largest", "one", "two", "one"], "second"),
        ("Slice", ["largest", "two", "three", "one"], "third"),
        ("Concat", ["column", "third"], "both", {"axis": 1}),
        ("Concat", ["both", "second", "both"], "all", {"axis": 1}),
        ("Sin", ["all"], "said"),
    ]
    constants = {"axes": [1, 2], "one": [1], "two": [2], "three": [3]}
    left = operations_left(graph(steps, **{n: np.int64(v) for n, v in constants.items()}))
    assert left[2:] == ["Reshape", "Concat", "Gather", "Sin"]


def test_what_a_row_is_made_of_is_not_picked_from_it() -> None:
    steps: list[Step] = [
        ("Gather", ["jets", "order"], "turned", {"axis": 2}),
        ("Concat", ["turned", "jets", "turned"], "all", {"axis": 1}),
        ("Slice", ["all", "one", "three", "one"], "some"),
        ("Sin", ["some"], "sines"),
        ("Gather", ["sines", "order"], "other", {"axis": 2}),
        ("Slice", ["jets", "one", "three", "one"], "later"),
        ("Slice", ["sines", "one", "three", "one"], "last"),
        ("Concat", ["jets", "other", "later", "last"], "more", {"axis": 1}),
        ("Transpose", ["more"], "said", {"perm": [0, 2, 1]}),
    ]
    constants = {"order": [2, 0, 1], "one": [1], "three": [7]}
    left = operations_left(graph(steps, **{n: np.int64(v) for n, v in constants.items()}))
    first, last = (place for place, each in enumerate(left) if each == "Gather")
    assert first < left.index("Sin") < last


def test_rows_are_multiplied_in_their_own_shape() -> None:
    steps: list[Step] = [
        ("Reshape", ["jets", "long"], "table"),
        ("MatMul", ["table", "weights"], "product"),
        ("Reshape", ["product", "back"], "said"),
    ]
    weights = np.random.default_rng(1).normal(size=(WIDTH, 5)).astype(np.float32)
    constants = {"long": np.int64([-1, WIDTH]), "back": np.int64([-1, SLOTS, 5])}
    assert operations_left(graph(steps, weights=weights, **constants), 1e-6) == ["MatMul"]


def test_the_same_is_computed_once() -> None:
    steps: list[Step] = [
        ("Mul", ["jets", "two"], "once"),
        ("Mul", ["jets", "second"], "twice"),
        ("Sin", ["once"], "sine"),
        ("Sin", ["twice"], "other"),
        ("Add", ["sine", "other"], "said"),
    ]
    left = operations_left(graph(steps, two=np.float32(2.0), second=np.float32(2.0)))
    assert left == ["Mul", "Sin", "Add"]


def normalised() -> list[Step]:
    """Return how Keras normalises jets along their features."""
    mean = {"axes": [2], "keepdims": 1}
    return [
        ("ReduceMean", ["jets"], "mean", mean),
        ("Sub", ["jets", "mean"], "centred"),
        ("Mul", ["centred", "centred"], "squares"),
        ("ReduceMean", ["squares"], "variance", mean),
        ("Add", ["variance", "epsilon"], "above"),
        ("Sqrt", ["above"], "deviation"),
        ("Reciprocal", ["deviation"], "inverse"),
        ("Mul", ["inverse", "gamma"], "factor"),
        ("Mul", ["jets", "factor"], "scaled"),
        ("Neg", ["mean"], "negative"),
        ("Mul", ["negative", "factor"], "moved"),
        ("Add", ["moved", "beta"], "offset"),
        ("Add", ["scaled", "offset"], "said"),
    ]


@pytest.mark.parametrize(("opset", "left"), [(17, 1), (16, 13)])
def test_layers_are_normalised_at_once_where_there_is_such_an_operation(
    opset: int, left: int
) -> None:
    random = np.random.default_rng(2)
    gamma, beta = random.normal(1, 0.1, (2, 1, 1, WIDTH)).astype(np.float32)
    constants = {"gamma": gamma, "beta": beta, "epsilon": np.float32(1e-3)}
    proto = graph(normalised(), opset, **constants)
    assert len(operations_left(proto, 1e-5)) == left


def test_another_sum_of_products_is_not_taken_for_a_normalisation() -> None:
    random = np.random.default_rng(2)
    gamma, beta = random.normal(1, 0.1, (2, 1, 1, WIDTH)).astype(np.float32)
    steps = [
        ("Mul", ["squares", "factor"], "scaled") if step[2] == "scaled" else step
        for step in normalised()
    ]
    constants = {"gamma": gamma, "beta": beta, "epsilon": np.float32(1e-3)}
    assert "LayerNormalization" not in operations_left(graph(steps, **constants))


@pytest.mark.parametrize("axis", [-1, -2])
def test_axes_are_counted_from_the_front(axis: int) -> None:
    steps: list[Step] = [
        ("ReduceSum", ["jets", "axis"], "sum", {"keepdims": 0}),
        ("ReduceMax", ["sum"], "said", {"keepdims": 0, "axes": [-1]}),
    ]
    before = graph(steps, axis=np.int64([axis]))
    assert operations_left(before) == ["ReduceSum", "ReduceMax"]
    after = simplified(before)
    [constant] = after.graph.initializer
    np.testing.assert_array_equal(numpy_helper.to_array(constant), [axis % 3])
    assert [list(field.ints) for field in after.graph.node[1].attribute if field.ints] == [[1]]
    of_none(after)


def test_there_is_always_a_row_to_sort() -> None:
    steps: list[Step] = [
        ("Reshape", ["jets", "row"], "flat"),
        ("TopK", ["flat", "count"], "said places", {"axis": -1}),
    ]
    before = graph(steps, row=np.int64([-1, SLOTS * WIDTH]), count=np.int64([5]))
    assert operations_left(before) == ["Reshape", "Concat", "TopK", "Slice"]
    of_none(simplified(before))


def test_a_product_is_not_taken_of_what_was_just_exchanged() -> None:
    steps: list[Step] = [
        ("Transpose", ["jets"], "turned", {"perm": [0, 2, 1]}),
        ("Reshape", ["turned", "table"], "rows"),
        ("MatMul", ["rows", "weights"], "product"),
        ("Reshape", ["product", "back"], "said"),
    ]
    constants = {"table": np.int64([-1, SLOTS]), "back": np.int64([-1, WIDTH, 2])}
    weights = np.arange(2 * SLOTS, dtype=np.float32).reshape(SLOTS, 2)
    before = graph(steps, weights=weights, **constants)
    assert operations_left(before) == ["Transpose", "Reshape", "MatMul", "Reshape"]
    of_none(simplified(before))


def of_none(proto: onnx.ModelProto) -> None:
    """Run a graph on no events in every onnxruntime."""
    hold_in_every_onnxruntime({"small": proto.SerializeToString()}, {"small": batches(events(2))})
