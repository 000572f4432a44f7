"""What every method said of every event, written, read, and compared with others."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rootflow.evaluation.bootstrap import Statistic
from rootflow.evaluation.cell_statistics import BiasAndResolution, Shares, everywhere
from rootflow.evaluation.compare import (
    Arrays,
    ComparedModels,
    EventTable,
    read_event_table,
    write_event_table,
)
from rootflow.evaluation.compare import compare as compare_answers
from rootflow.evaluation.reconstruction.metrics import METRICS, right_answers
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.sample import Candidate, EventsWithTruth

PREDICTIONS = "predictions.parquet"
TRUTH = ("true_b", "true_bbar", "true_mtt")
SAID = ("b", "bbar", "mtt")
COMPONENTS = ("px", "py", "pz")


def write_predictions(
    candidates: Sequence[Candidate], sample: EventsWithTruth, files: Sequence[str], path: Path
) -> None:
    """Write a row for each event.

    Columns are those of all event tables; `true_b` and `true_bbar`, the true slots (-1 for
    none), and `true_mtt` in GeV; and of each method METHOD_b, METHOD_bbar (slots, -1 without an
    answer), METHOD_score, METHOD_mtt (NaN where there is none), and its own
    METHOD_neutrino_px, ..., METHOD_antineutrino_pz in GeV.

    `files` are the SHA-256 of the files that the events came from, by `file_index`.
    """
    columns = {
        "true_b": sample.assignment[:, 0],
        "true_bbar": sample.assignment[:, 1],
        "true_mtt": sample.values["mtt"],
    }
    for candidate in candidates:
        answers = candidate.answers
        said = {
            "b": answers.assignment[:, 0],
            "bbar": answers.assignment[:, 1],
            "score": answers.scores,
            "mtt": candidate.values.get("mtt", np.full(len(answers.scores), np.nan)),
        }
        if answers.neutrinos is not None:
            said |= {
                f"{particle}_{component}": answers.neutrinos[:, side, axis]
                for side, particle in enumerate(("neutrino", "antineutrino"))
                for axis, component in enumerate(COMPONENTS)
            }
        columns |= {f"{candidate.name}_{name}": values for name, values in said.items()}
    write_event_table(sample.events, columns, files, path)


def read_predictions(path: Path, name: str | None = None) -> EventTable:
    """Read what `write_predictions` wrote; messages call it by `name`, none: its path."""
    return read_event_table(path, "predictions", TRUTH, (), name)


def compare(tables: Sequence[EventTable], replicas: int, seed: int) -> ComparedModels:
    """Compare methods in every one of `METRICS`; the truth is none.

    `tables` are those of `read_predictions`; other parameters and errors are those of
    `rootflow.evaluation.compare.compare`.
    """
    return compare_answers(tables, TRUTH, _said, _asked, METRICS, replicas, seed)


def _said(table: EventTable) -> dict[str, Arrays]:
    columns = table.columns
    methods = [each.removesuffix("_bbar") for each in columns if each.endswith("_bbar")]
    return {
        method: {each: columns[f"{method}_{each}"] for each in SAID}
        for method in methods
        if method not in ("true", "truth")
    }


def _asked(truth: Arrays, said: Arrays) -> dict[str, Statistic]:
    true = np.stack([truth["true_b"], truth["true_bbar"]], axis=1)
    chosen = np.stack([said["b"], said["bbar"]], axis=1)
    matched = everywhere(np.all(true >= 0, axis=1))
    residuals = OBSERVABLES["mtt"].residuals(said["mtt"], truth["true_mtt"])
    right = right_answers(chosen, true)
    return {
        **{name: Shares(among, matched, 1) for name, among in right.items()},
        "mtt": BiasAndResolution(residuals, matched, 1, truth["weight"]),
    }
