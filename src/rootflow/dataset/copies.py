"""Copies of a dataset in formats that people have tools to look at."""

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.arrays import EVENTS_AT_ONCE, SUFFIX
from rootflow.dataset.dataset import Dataset
from rootflow.dataset.events import Events
from rootflow.files import whole_file
from rootflow.formats.writing import Format as TableFormat
from rootflow.formats.writing import table_writer
from rootflow.ntuple.objects import singular

COMPONENTS = ("px", "py", "pz", "energy")

Format = Literal["root", "rntuple", "parquet", "npz"]
# What follows the dataset's name.
SUFFIXES: Mapping[Format, str] = {
    "root": ".root",
    "rntuple": ".rntuple.root",
    "parquet": ".parquet",
    "npz": ".npz",
}
TABLES: Mapping[Format, TableFormat] = {
    "root": "ttree",
    "rntuple": "rntuple",
    "parquet": "parquet",
}


def write_copy(dataset: Dataset, file_format: Format, path: Path) -> None:
    """Write all events of a dataset to one file.

    A TTree and an RNTuple `events` in ROOT files and Parquet have one column for each feature,
    energies in GeV: those of collections with a mask (jet_*) as lists without padding, others
    (lepton_*) as arrays in the order of `Events`, met_*, event_*, weight, event_number, identity_*,
    file_index, fold, sample, label, and the truth.
    Beside the columns, under `samples`, are the names of the samples, joined by commas: `sample`
    is the place there. npz has the arrays themselves.
    """
    with whole_file(path) as partial:
        if file_format == "npz":
            _write_npz(dataset, partial)
        else:
            _write_table(dataset, TABLES[file_format], partial)


def _write_table(dataset: Dataset, file_format: TableFormat, path: Path) -> None:
    parts = range(0, len(dataset), EVENTS_AT_ONCE)
    lists = _lists(dataset.events(slice(0)))
    with table_writer(path, file_format, lists=lists, extensions=len(parts)) as writer:
        writer.note("samples", ",".join(sample.name for sample in dataset.manifest.samples))
        for start in parts:
            table = _table(dataset.events(slice(start, start + EVENTS_AT_ONCE)))
            if file_format != "parquet":
                table = {name: _as_number(column) for name, column in table.items()}
            writer.extend(table)


def _lists(events: Events) -> dict[str, list[str]]:
    """Return the columns that are lists, by the name of what counts them."""
    return {
        f"n{singular(name)}": [f"{singular(name)}_{each}" for each in events.features[name]]
        for name in events.masks
    }


def _as_number(column: Any) -> Any:
    """Return integers of 8 bits, which ROOT takes for characters, as such of 32 bits."""
    characters = isinstance(column, np.ndarray) and column.dtype in (np.int8, np.uint8)
    return column.astype(np.int32) if characters else column


def _table(events: Events) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name in events.collections:
        table |= _of_collection(events, name)
    for name in ("weight", "event_number", "file_index", "fold", "sample", "label", "fold_number"):
        array = getattr(events, name)
        if array is not None:
            table[name] = array
    table |= {f"identity_{name}": values for name, values in events.identity_columns.items()}
    if events.systematic_weights is not None:
        for name in events.systematic_weights.dtype.names or ():
            table[f"weight_{name}"] = np.ascontiguousarray(events.systematic_weights[name])
    if events.assignment is not None:
        table |= _columns(["b_jet", "bbar_jet"], events.assignment)
    for particles, momenta in (
        (("neutrino", "antineutrino"), events.neutrinos),
        (("true_lepton_plus", "true_lepton_minus"), events.true_leptons),
        (("top", "antitop"), events.tops),
        (("reconstructed_neutrino", "reconstructed_antineutrino"), events.reconstructed_neutrinos),
    ):
        if momenta is not None:
            components = COMPONENTS[: momenta.shape[-1]]
            columns = [f"{particle}_{each}" for particle in particles for each in components]
            table |= _columns(columns, momenta.reshape(len(momenta), len(columns)))
    return table


def _of_collection(events: Events, name: str) -> dict[str, Any]:
    array, features, single = events.collections[name], events.features[name], singular(name)
    names = [f"{single}_{feature}" for feature in features]
    if name not in events.masks:
        return _columns(names, array)
    counts = events.masks[name].sum(axis=1)
    real = _columns(names, array[events.masks[name]])
    return {column: ak.unflatten(numbers, counts) for column, numbers in real.items()}


def _columns(names: Sequence[str], array: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the last axis of an array, by name, each contiguous as Arrow needs it."""
    return {name: np.ascontiguousarray(array[..., i]) for i, name in enumerate(names)}


def _write_npz(dataset: Dataset, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(dataset.manifest.arrays):
            # A fixed date: the same dataset gives the same bytes.
            with (
                (dataset.path / (name + SUFFIX)).open("rb") as array,
                archive.open(zipfile.ZipInfo(name + SUFFIX), "w", force_zip64=True) as member,
            ):
                shutil.copyfileobj(array, member)
