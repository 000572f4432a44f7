"""Tensors that only arrange numbers of others, each by one operation.

A network takes features apart, repeats them and puts them together in another order, and each
of these is an operation that copies a few numbers. Here they are put in one row for each event,
of which any arrangement is picked at once.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from rootflow.export.graph import EVENTS, Graph, run

MOVING = frozenset(
    {"Concat", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze"}
    | {"Transpose", "Unsqueeze"}
)
# Tensors of more numbers for each event are not picked from a row: to copy these one by one
# takes longer than the operations.
LARGEST = 512
FEWEST_TOGETHER = 3  # of one shape but for the first axis, before they become a row
Places = NDArray[np.int64]
# By name of what each node gives.
Producers = Mapping[str, onnx.NodeProto]


class Arranged(NamedTuple):
    """A tensor, the tensors whose numbers it has, and which of their numbers, without events.

    The numbers of all sources in a graph are counted through, from the start of each.
    """

    name: str
    sources: tuple[str, ...]
    places: Places


class Picking(NamedTuple):
    """Nodes that give some tensors."""

    tensors: frozenset[str]
    nodes: list[onnx.NodeProto]


def arrange(graph: Graph) -> None:
    """Pick arranged tensors at once where that takes fewer nodes."""
    moving = {name: node for node in graph.nodes if _moves(graph, node) for name in node.output}
    wanted = [
        name
        for name in moving
        if name in graph.outputs
        or any(node.output[0] not in moving for node in graph.consumers[name])
    ]
    if not wanted:
        return
    starts, arranged = _places(graph, moving, wanted)
    pickings, others = [], []
    for each in arranged:
        picking = _along_an_axis(graph, each, starts)
        if picking is not None:
            pickings.append(picking)
        elif all(_size(graph, name) <= LARGEST for name in (each.name, *each.sources)):
            others.append(each)
    pickings += [_from_a_row(graph, group, starts) for group in _groups(graph, others)]
    for picking in _worth_it(moving, wanted, pickings):
        graph.exchange(picking.tensors, picking.nodes)
    graph.sort()


def _moves(graph: Graph, node: onnx.NodeProto) -> bool:
    """Return whether a node only moves numbers within each event."""
    moved = node.input if node.op_type == "Concat" else node.input[:1]
    said = node.input[len(moved) :]
    return (
        node.op_type in MOVING
        and all(name not in graph.constants for name in moved)
        and all(name in graph.constants for name in said if name)
        and all(_is_of_events(graph, name) for name in (*moved, *node.output))
    )


def _is_of_events(graph: Graph, name: str) -> bool:
    first, *rest = graph.shapes[name] or [(1, 1)]
    return first == EVENTS and all(few == more for few, more in rest)


def _size(graph: Graph, name: str) -> int:
    return int(np.prod(_shape(graph, name)))


def _shape(graph: Graph, name: str) -> tuple[int, ...]:
    return tuple(size for size, _ in graph.shapes[name][1:])


def _places(
    graph: Graph, moving: Producers, wanted: list[str]
) -> tuple[dict[str, int], list[Arranged]]:
    """Return where the numbers of each source start, and what the wanted tensors are made of."""

    @cache
    def sources(name: str) -> tuple[str, ...]:
        if name not in moving:
            return (name,)
        node = moving[name]
        moved = node.input if node.op_type == "Concat" else node.input[:1]
        return tuple(dict.fromkeys(source for each in moved for source in sources(each)))

    every = dict.fromkeys(source for name in wanted for source in sources(name))
    sizes = [_size(graph, name) for name in every]
    starts = dict(zip(every, np.cumsum([0, *sizes]).tolist(), strict=False))
    # What the nodes move here are not the numbers, but where they stand.
    feeds = {
        name: np.arange(starts[name], starts[name] + size).reshape(1, *_shape(graph, name))
        + np.arange(EVENTS[0]).reshape(-1, *[1] * len(_shape(graph, name))) * sum(sizes)
        for name, size in zip(every, sizes, strict=True)
    }
    nodes = [node for node in graph.nodes if node.output[0] in moving]
    found = run(graph.part(nodes, feeds), wanted, feeds)
    arranged = []
    for name, places in found.items():
        within, event = places % sum(sizes), places // sum(sizes)
        events = np.arange(len(places)).reshape(-1, *[1] * (places.ndim - 1))
        if (
            np.array_equal(event, np.broadcast_to(events, places.shape))
            and len({graph.types[source] for source in sources(name)}) == 1
        ):
            arranged.append(Arranged(name, sources(name), within[0]))
    return starts, arranged


def _along_an_axis(graph: Graph, arranged: Arranged, starts: Mapping[str, int]) -> Picking | None:
    """Return what picks along one axis of the only source, if that is all."""
    source, *others = arranged.sources
    shape = _shape(graph, source)
    extra = arranged.places.ndim - len(shape) + 1
    if others or extra < 0:
        return None
    numbers = np.arange(np.prod(shape)).reshape(shape)
    places = arranged.places - starts[source]
    for axis in range(len(shape)):
        along = np.unravel_index(places, shape)[axis]
        index = along[(0,) * axis][(..., *[0] * (len(shape) - axis - 1))]
        if index.ndim == extra and np.array_equal(np.take(numbers, index, axis), places):
            picked = helper.make_node(
                "Gather", [source, graph.constant(index)], [arranged.name], axis=axis + 1
            )
            return Picking(frozenset([arranged.name]), [picked])
    return None


def _groups(graph: Graph, arranged: Iterable[Arranged]) -> list[list[Arranged]]:
    """Return those together that can be picked from one row: none is needed to make the row."""
    groups: list[list[Arranged]] = []
    after = cache(lambda name: graph.after([name]))
    for each in arranged:
        for group in groups:
            together = [*group, each]
            sources = {source for one in together for source in one.sources}
            if len({graph.types[source] for source in sources}) == 1 and all(
                sources.isdisjoint(after(one.name)) for one in together
            ):
                group.append(each)
                break
        else:
            groups.append([each])
    return groups


def _from_a_row(graph: Graph, group: list[Arranged], starts: Mapping[str, int]) -> Picking:
    """Return what puts all sources in a row, and picks each tensor of it."""
    sources = dict.fromkeys(source for each in group for source in each.sources)
    nodes, row, order = _row(graph, sources)
    # From where a number stands among those of all sources to where it stands in the row.
    moved = np.zeros(max(starts.values()) + LARGEST, np.int64)
    place = 0
    for source in order:
        size = _size(graph, source)
        moved[starts[source] : starts[source] + size] = np.arange(place, place + size)
        place += size
    for each in group:
        index = graph.constant(moved[each.places])
        nodes.append(helper.make_node("Gather", [row, index], [each.name], axis=1))
    return Picking(frozenset(each.name for each in group), nodes)


def _row(graph: Graph, sources: Iterable[str]) -> tuple[list[onnx.NodeProto], str, list[str]]:
    """Return nodes that put tensors in one row, its name, and the tensors in its order."""
    alike: dict[tuple[int, ...] | None, list[str]] = {}
    for source in sources:
        shape = _shape(graph, source)
        alike.setdefault(shape[1:] if shape else None, []).append(source)
    nodes: list[onnx.NodeProto] = []

    def made(operation: str, inputs: list[str], **axis: Any) -> str:
        name = graph.new_name("row")
        nodes.append(helper.make_node(operation, inputs, [name], **axis))
        return name

    rows = []
    for rest, names in alike.items():
        together = bool(rest) and len(names) >= FEWEST_TOGETHER
        for part in [names] if together else [[name] for name in names]:
            whole = made("Concat", part, axis=1) if together else part[0]
            size = sum(_size(graph, name) for name in part)
            flat = graph.constant(np.array([-1, size]))
            rows.append(whole if rest == () else made("Reshape", [whole, flat]))
    row = made("Concat", rows, axis=1) if len(rows) > 1 else rows[0]
    return nodes, row, [name for names in alike.values() for name in names]


def _worth_it(moving: Producers, wanted: Collection[str], pickings: list[Picking]) -> list[Picking]:
    """Return the pickings by which fewer nodes are left."""

    def left(chosen: Iterable[Picking]) -> int:
        chosen = list(chosen)
        picked = frozenset().union(*(each.tensors for each in chosen))
        needed = [moving[name] for name in wanted if name not in picked]
        seen: dict[int, onnx.NodeProto] = {}
        while needed:
            node = needed.pop()
            if id(node) not in seen:
                seen[id(node)] = node
                needed += [
                    moving[name] for name in node.input if name in moving and name not in picked
                ]
        return len(seen) + sum(len(each.nodes) for each in chosen)

    chosen = list(pickings)
    for picking in pickings:
        without = [each for each in chosen if each is not picking]
        if left(without) <= left(chosen):
            chosen = without
    return chosen
