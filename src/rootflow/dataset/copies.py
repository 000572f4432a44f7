"""Copies of a dataset in formats that people have tools to look at."""

import contextlib
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from rootflow.dataset.arrays import EVENTS_AT_ONCE, SUFFIX
from rootflow.dataset.dataset import Dataset
from rootflow.dataset.events import Events
from rootflow.files import whole_file
from rootflow.formats.writing import COUNTED_BY, write_tree
from rootflow.ntuple.objects import singular

COMPONENTS = ("px", "py", "pz", "energy")

Format = Literal["root", "npz", "parquet"]


def write_copy(dataset: Dataset, file_format: Format, path: Path) -> None:
    """Write all events of a dataset to one file.

    ROOT (tree `events`) and Parquet have one column for each feature, energies in GeV:
    those of collections with a mask (jet_*) as lists without padding, others (lepton_*) as arrays
    in the order of `Events`, met_*, event_*, weight, event_number, identity_*, file_index, fold,
    sample, label, and the truth.
    Beside the columns, under `samples`, are the names of the samples, joined by commas: `sample`
    is the place there. npz has the arrays themselves.
    """
    with whole_file(path) as partial:
        if file_format == "npz":
            _write_npz(dataset, partial)
        elif file_format == "root":
            write_tree(partial, _tables(dataset), {"samples": _samples(dataset)})
        else:
            _write_parquet(dataset, partial)


def _tables(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for start in range(0, len(dataset), EVENTS_AT_ONCE):
        yield _table(dataset.events(slice(start, start + EVENTS_AT_ONCE)))


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
    objects = ak.zip(_columns(names, array[events.masks[name]]))
    return {f"{COUNTED_BY}n{single}": ak.unflatten(objects, events.masks[name].sum(axis=1))}


def _samples(dataset: Dataset) -> str:
    """Return the names of the samples, in the order of their places."""
    return ",".join(sample.name for sample in dataset.manifest.samples)


def _columns(names: Sequence[str], array: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the last axis of an array, by name, each contiguous as Arrow needs it."""
    return {name: np.ascontiguousarray(array[..., i]) for i, name in enumerate(names)}


def _write_parquet(dataset: Dataset, path: Path) -> None:
    with contextlib.ExitStack() as stack:
        writer = None
        for table in _tables(dataset):
            columns: dict[str, Any] = {}
            for name, column in table.items():
                lists = getattr(column, "fields", [])
                columns |= {each: column[each] for each in lists} or {name: column}
            arrow = pa.table(
                {name: ak.to_arrow(columns[name], extensionarray=False) for name in columns}
            )
            if writer is None:
                schema = arrow.schema.with_metadata({"samples": _samples(dataset)})
                writer = stack.enter_context(pq.ParquetWriter(path, schema))
            writer.write_table(arrow)


def _write_npz(dataset: Dataset, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(dataset.manifest.arrays):
            # A fixed date: the same dataset gives the same bytes.
            with (
                (dataset.path / (name + SUFFIX)).open("rb") as array,
                archive.open(zipfile.ZipInfo(name + SUFFIX), "w", force_zip64=True) as member,
            ):
                shutil.copyfileobj(array, member)
