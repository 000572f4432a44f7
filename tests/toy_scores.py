"""Tables of scores of toy events."""

import numpy as np

from rootflow.dataset import Events
from rootflow.dataset.manifest import Sample, SourceFile
from rootflow.evaluation.compare import OF_EVENTS, EventTable
from toy_classes import SAMPLES

FILES = ("0123", "4567")


def samples_with_files() -> list[Sample]:
    """Return the toy samples, the first with both files."""
    files = tuple(
        SourceFile(
            path=f"{name}.root",
            bytes=1,
            checksum=f"adler32:{name}",
            checksum_from="read",
            events_read=1,
            events_selected=1,
            sum_of_weights_read=1.0,
            sum_of_weights_selected=1.0,
        )
        for name in FILES
    )
    return [SAMPLES[0].model_copy(update={"files": files}), *SAMPLES[1:]]


def table_of(events: Events, name: str, **scores: np.ndarray) -> EventTable:
    columns = {
        **{each: getattr(events, each) for each in (*OF_EVENTS, "label")},
        **{f"identity_{each}": values for each, values in events.identity_columns.items()},
        **{f"score_{model}": values for model, values in scores.items()},
    }
    return EventTable(name, FILES, columns, {"signals": [1]})
