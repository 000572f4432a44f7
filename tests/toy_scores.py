"""Tables of scores of toy events."""

import numpy as np

from rootflow.dataset import Events
from rootflow.dataset.manifest import Sample, SourceFile
from rootflow.evaluation.classification import ScoreTable
from toy_classes import SAMPLES

FILES = ("0123", "4567")


def samples_with_files() -> list[Sample]:
    """Return the toy samples, the first with both files."""
    files = tuple(
        SourceFile(
            path=f"{name}.root",
            bytes=1,
            sha256=name,
            events_read=1,
            events_selected=1,
            sum_of_weights_read=1.0,
            sum_of_weights_selected=1.0,
        )
        for name in FILES
    )
    return [SAMPLES[0].model_copy(update={"files": files}), *SAMPLES[1:]]


def table_of(events: Events, name: str, **scores: np.ndarray) -> ScoreTable:
    return ScoreTable(
        name=name,
        files=FILES,
        sample=np.array([sample.name for sample in SAMPLES])[events.sample],
        file_index=events.file_index,
        event_number=events.event_number,
        fold=events.fold,
        label=events.label,
        weight=events.weight,
        scores=scores,
        identity=events.identity_columns,
    )
