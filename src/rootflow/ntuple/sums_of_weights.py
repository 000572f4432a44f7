"""Sums of weights that a file says beside its events: in histograms, or in another tree."""

from typing import Annotated, Any

import awkward as ak
import numpy as np
from pydantic import Discriminator, Field, Tag

from rootflow.config.block import Block
from rootflow.errors import InputError
from rootflow.formats import bins_of_histograms, open_table
from rootflow.ntuple.units import Number, NumberColumn
from rootflow.places import Place

CHUNK_BYTES = 2**20
OTHERWISE = (
    "the branch map names it as the sum of weights; a configuration that says sum_of_weights, a "
    "number, or as_read for the sum over the events that are read, does without"
)


class BinOfHistograms(Block):
    """The sum over all histograms of such names, of the content of one bin."""

    histogram: str = Field(description="a name, or a glob: CutBookkeeper_*_NOSYS")
    bin: int = Field(ge=1, description="as ROOT counts them: the first is 1")

    def __str__(self) -> str:
        return f"bin {self.bin} of histogram '{self.histogram}'"


class SumOverTree(Block):
    """The sum over the entries of another tree, such as NanoAOD's Runs."""

    tree: str
    branch: str = Field(description="with one number for each entry")

    def __str__(self) -> str:
        return f"branch '{self.branch}' of tree '{self.tree}'"


def _kind(value: Any) -> str:
    has = value.model_dump() if isinstance(value, Block) else value
    if isinstance(has, dict) and "histogram" in has:
        return "a histogram"
    return "a tree" if isinstance(has, dict) and "tree" in has else "a branch"


BesideEvents = BinOfHistograms | SumOverTree
SumOfWeights = Annotated[
    Annotated[BinOfHistograms, Tag("a histogram")]
    | Annotated[SumOverTree, Tag("a tree")]
    | Annotated[Number, Tag("a branch")],
    Discriminator(_kind),
]


def in_events(where: BesideEvents | NumberColumn | None) -> NumberColumn | None:
    """Return the branch of the events that says the sum, if one does."""
    return where if isinstance(where, NumberColumn) else None


def sum_of_weights(path: Place, where: BesideEvents) -> float:
    """Return what a file says of itself, whether it has events or not."""
    if isinstance(where, BinOfHistograms):
        total = _in_bins(path, where)
    else:
        with open_table(path, where.tree) as table:
            columns = table.chunks([where.branch], CHUNK_BYTES)
            total = sum(_added(path, where, arrays[where.branch]) for _, arrays in columns)
    if not np.isfinite(total):
        raise InputError(f"{path}: the sum of weights, {where}, is {total:g}, which is no number")
    return total


def _in_bins(path: Place, where: BinOfHistograms) -> float:
    total = 0.0
    for name, contents in bins_of_histograms(path, where.histogram, OTHERWISE).items():
        bins = len(contents) - 2  # and what is below and above them
        if where.bin > bins:
            raise InputError(f"{path}: histogram '{name}' has {bins} bins, and no bin {where.bin}")
        total += float(contents[where.bin])
    return total


def _added(path: Place, where: SumOverTree, array: Any) -> float:
    layout = array.layout
    if not isinstance(layout, ak.contents.NumpyArray) or layout.purelist_depth != 1:
        raise InputError(f"{path}: {where} does not hold one number for each entry")
    return float(np.sum(layout.data, dtype=np.float64))
