"""The scores of every event as a table in a Parquet file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from rootflow import checksum
from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.errors import InputError
from rootflow.evaluation.classification.results import Scored
from rootflow.evaluation.saving import EVALUATE_AGAIN
from rootflow.files import whole_file

# A model's scores are the column of this and its name.
SCORE = "score_"
# What stands beside the event number in an event's identity, by the branch.
IDENTITY = "identity_"
METADATA = b"rootflow"


class ScoreTable(NamedTuple):
    """The scores that models gave to n events that they have not seen.

    Attributes
    ----------
    name
        Whose table it is, for messages: that of a file, or the id of a run.
    files
        SHA-256 of the files that the events came from, by `file_index`.
    sample
        (n,) names of samples.
    file_index, event_number
        (n,) what identifies an event, as in Events, with `identity`.
    fold, label
        (n,) as in Events.
    weight
        (n,) events expected in data.
    m4l
        (n,) mass of the four leptons, GeV.
    scores
        (n,) probability of signal, by the name of the model.
    identity
        (n,) the rest of the identity, by branch.
    """

    name: str
    files: tuple[str, ...]
    sample: NDArray[np.str_]
    file_index: NDArray[np.int32]
    event_number: NDArray[np.uint64] | NDArray[np.int64]
    fold: NDArray[np.uint8]
    label: NDArray[np.int8]
    weight: NDArray[np.float64]
    m4l: NDArray[np.float64]
    scores: dict[str, NDArray[np.float64]]
    identity: Mapping[str, NDArray[np.int64]] = MappingProxyType({})


COLUMNS = ("file_index", "event_number", "fold", "label", "weight", "m4l")


def write_scores(
    events: Events, samples: Sequence[Sample], scored: Sequence[Scored], path: Path
) -> None:
    """Write the scores of all events, data too, as a Parquet file.

    Parameters
    ----------
    events
        The events, with samples and labels.
    samples
        Those that `events.sample` counts through.
    scored
        What each model says of them.
    path
        Of the file.
    """
    names = np.array([sample.name for sample in samples])
    columns: dict[str, Any] = {
        "sample": pa.array(names[events.sample]).dictionary_encode(),
        **{name: getattr(events, name) for name in COLUMNS if name != "m4l"},
        **{IDENTITY + name: values for name, values in events.identity_columns.items()},
        "m4l": events.event[:, events.features["event"].index("m4l")],
        **{SCORE + model.name: model.scores for model in scored},
    }
    files = [file.sha256 for sample in samples for file in sample.files]
    said = {METADATA: json.dumps({"files": files}), checksum.KEY: checksum.UNSEALED}
    table = pa.table(columns).replace_schema_metadata(said)
    with whole_file(path) as partial:
        pq.write_table(table, partial)
        partial.write_bytes(checksum.seal(partial.read_bytes()))


def read_scores(path: Path, name: str | None = None) -> ScoreTable:
    """Read what `write_scores` wrote.

    Parameters
    ----------
    path
        Of the file.
    name
        What messages call it; none: its path.

    Raises
    ------
    InputError
        The file cannot be read, or is no table of scores.
    """
    called = name or str(path)
    content = checksum.read_sealed(path, EVALUATE_AGAIN, called)
    try:
        table = pq.read_table(pa.BufferReader(content))
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{called}: cannot read the scores: {str(error).splitlines()[0]}"
        ) from None
    described = (table.schema.metadata or {}).get(METADATA)
    missing = [column for column in ("sample", *COLUMNS) if column not in table.column_names]
    if described is None or missing:
        what = f"it has no column {missing[0]}" if missing else "it does not name the events' files"
        raise InputError(f"{called}: not a table of scores as evaluate writes it: {what}")
    return ScoreTable(
        name=called,
        files=tuple(json.loads(described)["files"]),
        sample=np.array(table["sample"].to_pylist()),
        **{column: table[column].to_numpy() for column in COLUMNS},
        scores=_named(table, SCORE),
        identity=_named(table, IDENTITY),
    )


def _named(table: pa.Table, prefix: str) -> dict[str, NDArray[Any]]:
    return {
        column.removeprefix(prefix): table[column].to_numpy()
        for column in table.column_names
        if column.startswith(prefix)
    }
