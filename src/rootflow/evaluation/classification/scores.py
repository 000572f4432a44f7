"""The scores of every event as a table in a Parquet file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rootflow.dataset.events import SIGNAL, Events
from rootflow.dataset.manifest import Sample
from rootflow.evaluation.classification.observable import EventObservable
from rootflow.evaluation.classification.results import Scored
from rootflow.evaluation.event_table import IDENTITY, read_event_table, write_event_table

# A model's scores are the column of this and its name.
SCORE = "score_"
# Of several classes, those of its probabilities are of this, the label and its name.
PROBABILITY = "probability_"


class ScoreTable(NamedTuple):
    """The scores that models gave to n events that they have not trained on.

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
    scores
        (n,) probability of signal, by the name of the model.
    identity
        (n,) the rest of the identity, by branch.
    signals
        The labels of the classes that are signal.
    """

    name: str
    files: tuple[str, ...]
    sample: NDArray[np.str_]
    file_index: NDArray[np.int32]
    event_number: NDArray[np.uint64] | NDArray[np.int64]
    fold: NDArray[np.uint8]
    label: NDArray[np.int8]
    weight: NDArray[np.float64]
    scores: dict[str, NDArray[np.float64]]
    identity: Mapping[str, NDArray[np.int64]] = MappingProxyType({})
    signals: tuple[int, ...] = (SIGNAL,)

    def is_signal(self) -> NDArray[np.bool_]:
        """Return (n,) bool."""
        return np.isin(self.label, self.signals)


COLUMNS = ("sample", "file_index", "event_number", "fold", "label", "weight")


def write_scores(
    events: Events,
    samples: Sequence[Sample],
    scored: Sequence[Scored],
    path: Path,
    observable: EventObservable | None = None,
    signals: Sequence[int] = (SIGNAL,),
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
    observable
        A column of it is written, too.
    signals
        The labels of the classes that are signal.
    """
    names = np.array([sample.name for sample in samples])
    columns: dict[str, Any] = {
        "sample": pa.array(names[events.sample]).dictionary_encode(),
        "label": events.label,
        **({} if observable is None else {observable.key: observable.values(events)}),
        **{SCORE + model.name: model.scores for model in scored},
        **{
            f"{PROBABILITY}{place}_{model.name}": model.probabilities[:, place]
            for model in scored
            if model.probabilities is not None
            for place in range(model.probabilities.shape[1])
        },
    }
    files = [file.sha256 for sample in samples for file in sample.files]
    write_event_table(events, columns, files, path, signals=list(signals))


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
    table = read_event_table(path, "scores", ("sample", "label"), name, ("signals",))
    return ScoreTable(
        name=table.name,
        files=table.files,
        signals=tuple(table.about["signals"]),
        **{column: table.columns[column] for column in COLUMNS},
        scores=table.starting(SCORE),
        identity=table.starting(IDENTITY),
    )
