"""What every method said of every event, as a table in a Parquet file."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rootflow.evaluation.reconstruction.sample import Candidate, Sample
from rootflow.files import whole_file

PREDICTIONS = "predictions.parquet"
METADATA = b"rootflow"
COMPONENTS = ("px", "py", "pz")


def write_predictions(
    candidates: Sequence[Candidate], sample: Sample, files: Sequence[str], path: Path
) -> None:
    """Write a row for each event.

    Columns are `file_index`, `event_number`, `fold`, `weight`, the rest of the identity
    (identity_BRANCH), the true slots `true_b` and `true_bbar` (-1 for none),
    and of each method METHOD_b, METHOD_bbar (slots, -1 without an
    answer), METHOD_score, and its own METHOD_neutrino_px, ..., METHOD_antineutrino_pz in GeV.

    Parameters
    ----------
    candidates, sample
        The methods and the events.
    files
        SHA-256 of the files that the events came from, by `file_index`; they are the metadata.
    path
        Of the file.
    """
    events = sample.events
    columns = {
        name: getattr(events, name) for name in ("file_index", "event_number", "fold", "weight")
    }
    columns |= {f"identity_{name}": values for name, values in events.identity_columns.items()}
    columns |= {"true_b": sample.assignment[:, 0], "true_bbar": sample.assignment[:, 1]}
    for candidate in candidates:
        name, answers = candidate.name, candidate.answers
        columns |= {f"{name}_b": answers.assignment[:, 0], f"{name}_bbar": answers.assignment[:, 1]}
        columns[f"{name}_score"] = answers.scores
        if answers.neutrinos is not None:
            columns |= {
                f"{name}_{particle}_{component}": answers.neutrinos[:, side, axis]
                for side, particle in enumerate(("neutrino", "antineutrino"))
                for axis, component in enumerate(COMPONENTS)
            }
    table = pa.table(columns).replace_schema_metadata(
        {METADATA: json.dumps({"files": list(files)}).encode()}
    )
    with whole_file(path) as partial:
        pq.write_table(table, partial)
