"""What models said of every event, as a Parquet file with a checksum."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from rootflow import checksum
from rootflow.dataset.events import Events
from rootflow.errors import InputError
from rootflow.evaluation.compare import FILE, NUMBER, Arrays, SavedAnswers
from rootflow.evaluation.folder import EVALUATE_AGAIN
from rootflow.files import whole_file

# What stands beside the event number in an event's identity, by the branch.
IDENTITY = "identity_"
METADATA = b"rootflow"
OF_EVENTS = ("file_index", "event_number", "fold", "weight")


class EventTable(NamedTuple):
    """A table of n events as it is read back.

    Attributes
    ----------
    name
        Whose table it is, for messages: that of a file, or the id of a run.
    files
        SHA-256 of the files that the events came from, by `file_index`.
    columns
        (n,) by name.
    about
        What else is said of all events.
    """

    name: str
    files: tuple[str, ...]
    columns: dict[str, NDArray[Any]]
    about: dict[str, Any]

    def starting(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the columns whose names start so, by what follows."""
        return {
            name.removeprefix(prefix): values
            for name, values in self.columns.items()
            if name.startswith(prefix)
        }

    def answers(self, truth: Arrays, said: Mapping[str, Arrays]) -> SavedAnswers:
        """Return what models said of the events beside the truth (n,), to be compared."""
        return SavedAnswers(
            name=self.name,
            who={
                FILE: np.array(self.files)[self.columns["file_index"]],
                NUMBER: self.columns["event_number"],
                **{n: each for n, each in self.columns.items() if n.startswith(IDENTITY)},
            },
            weight=self.columns["weight"],
            truth=truth,
            said=said,
        )


def write_event_table(
    events: Events, columns: Mapping[str, Any], files: Sequence[str], path: Path, **about: Any
) -> None:
    """Write who each event is (`OF_EVENTS` and identity_BRANCH), and columns (n,) beside it.

    `files` are the SHA-256 of the files that the events came from, by `file_index`; they and what
    is said `about` all events become the metadata.
    """
    table = pa.table(
        {
            **{name: getattr(events, name) for name in OF_EVENTS},
            **{IDENTITY + name: values for name, values in events.identity_columns.items()},
            **columns,
        }
    )
    said = {METADATA: json.dumps({"files": list(files), **about}), checksum.KEY: checksum.UNSEALED}
    with whole_file(path) as partial:
        pq.write_table(table.replace_schema_metadata(said), partial)
        partial.write_bytes(checksum.seal(partial.read_bytes()))


def read_event_table(
    path: Path, what: str, needed: Sequence[str], said: Sequence[str], name: str | None
) -> EventTable:
    """Read what `write_event_table` wrote: `what`, for messages, is scores or predictions.

    Columns that are `needed` beside those of every table must be there, and what the table must
    have `said` of all events. Messages call it by `name`; none: its path.

    Raises
    ------
    InputError
        The file cannot be read, or is no such table.
    """
    called = name or str(path)
    content = checksum.read_sealed(path, EVALUATE_AGAIN, called)
    try:
        table = pq.read_table(pa.BufferReader(content))
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{called}: cannot read the {what}: {str(error).splitlines()[0]}"
        ) from None
    about = json.loads((table.schema.metadata or {}).get(METADATA, b"{}"))
    columns = (*OF_EVENTS, *needed)
    faults = [f"has no column {column}" for column in columns if column not in table.column_names]
    if "files" not in about:
        faults.append("does not name the events' files")
    faults += [f"does not say its {entry}" for entry in said if entry not in about]
    if faults:
        raise InputError(
            f"{called}: not a table of {what} as evaluate writes it: it {faults[0]}: "
            f"{EVALUATE_AGAIN}"
        )
    return EventTable(
        called,
        tuple(about.pop("files")),
        {column: np.asarray(table[column].to_numpy()) for column in table.column_names},
        about,
    )
