"""Writing the arrays of a dataset, chunk by chunk."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rootflow.config.data import DataConfig
from rootflow.dataset.arrays import SUFFIX, ArrayWriters
from rootflow.dataset.digest import FileContent
from rootflow.dataset.folds import fold_of
from rootflow.dataset.manifest import Array, SourceFile
from rootflow.ntuple import BranchMap, Cutflow, read_chunks, select
from rootflow.ntuple.selection import add
from rootflow.progress import Advance, progress

EVENTS_AT_ONCE = 1_000_000


class Written(NamedTuple):
    """What was read and written."""

    files: tuple[SourceFile, ...]
    cutflow: Cutflow
    arrays: dict[str, Array]


def write_arrays(
    config: DataConfig,
    branch_map: BranchMap,
    files: Sequence[Path],
    contents: Sequence[FileContent],
    directory: Path,
) -> Written:
    """Write every array of the selected events of all files.

    Raises
    ------
    InputError
        Something is wrong with a file or with what it holds.
    """
    cutflow: Cutflow = {}
    sources = []
    with (
        ArrayWriters(directory) as writers,
        progress("preprocess", None, "events") as advance,
    ):
        for place, (path, content) in enumerate(zip(files, contents, strict=True)):
            of_file = _write_file(config, branch_map, path, place, writers, advance)
            cutflow = add(cutflow, of_file)
            cuts = list(of_file.values())
            sources.append(
                SourceFile(
                    path=str(path),
                    bytes=content.bytes,
                    sha256=content.sha256,
                    events_read=cuts[0][0],
                    events_selected=cuts[-1][0],
                    sum_of_weights_read=cuts[0][1],
                    sum_of_weights_selected=cuts[-1][1],
                )
            )
    arrays = {
        name: Array(dtype=writer.dtype.str, shape=writer.shape)
        for name, writer in writers.writers.items()
    }
    return Written(tuple(sources), cutflow, arrays)


def _write_file(
    config: DataConfig,
    branch_map: BranchMap,
    path: Path,
    place: int,
    writers: ArrayWriters,
    advance: Advance,
) -> Cutflow:
    cutflow: Cutflow = {}
    for chunk in read_chunks(path, branch_map):
        arrays, of_chunk = select(chunk, config.selection, config.max_jets)
        arrays["file_index"] = np.full(len(arrays["weight"]), place, dtype=np.int32)
        arrays["fold"] = fold_of(arrays["event_number"], config.folds)
        writers.append(arrays)
        cutflow = add(cutflow, of_chunk)
        advance(len(chunk), path.name)
    return cutflow


def scale_array(directory: Path, name: str, factor: float) -> None:
    """Multiply an array on disk by a factor."""
    path = directory / (name + SUFFIX)
    mapped = np.load(path, mmap_mode="r")
    with path.open("r+b") as file:
        file.seek(mapped.offset)
        for start in range(0, len(mapped), EVENTS_AT_ONCE):
            file.write((mapped[start : start + EVENTS_AT_ONCE] * factor).data)
