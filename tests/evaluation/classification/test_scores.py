from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rootflow.checksum import KEY, UNSEALED, seal
from rootflow.dataset import Events
from rootflow.errors import InputError
from rootflow.evaluation.classification import Scored, read_scores, write_scores
from rootflow.ntuple.columns import structured
from toy_classes import M4L
from toy_scores import FILES, samples_with_files


def test_scores_are_read_as_they_were_written(
    toy_events_of_classes: Events, tmp_path: Path
) -> None:
    events = toy_events_of_classes
    scores = np.linspace(0, 1, len(events))
    scored = [Scored("one", scores, scores), Scored("other", scores[::-1], scores)]
    write_scores(events, samples_with_files(), scored, tmp_path / "scores.parquet", M4L)
    table = read_scores(tmp_path / "scores.parquet", "mine")
    assert table.name == "mine"
    assert table.files == FILES
    assert list(table.starting("score_")) == ["one", "other"]
    np.testing.assert_array_equal(table.columns["score_other"], scores[::-1])
    for name in ("file_index", "event_number", "fold", "label", "weight"):
        np.testing.assert_array_equal(table.columns[name], getattr(events, name))
    np.testing.assert_array_equal(table.columns["m4l"], events.event[:, 1].astype(float))
    sample, label = table.columns["sample"], table.columns["label"]
    assert set(sample[label < 0]) == {"data"}
    assert set(sample[label == 1]) == {"ggH", "VBFH"}


def test_events_are_who_the_ntuple_says(toy_events_of_classes: Events, tmp_path: Path) -> None:
    count = len(toy_events_of_classes)
    events = replace(
        toy_events_of_classes,
        event_number=np.arange(count, dtype=np.int64) - 7,
        identity=structured({"runNumber": np.arange(count) // 9}),
    )
    path = tmp_path / "scores.parquet"
    write_scores(events, samples_with_files(), [Scored("one", events.weight, events.weight)], path)
    for columns in (read_scores(path).columns, pq.read_table(path)):
        np.testing.assert_array_equal(columns["event_number"], events.event_number)
        np.testing.assert_array_equal(columns["identity_runNumber"], np.arange(count) // 9)


def test_file_that_is_no_table_of_scores(tmp_path: Path) -> None:
    text = tmp_path / "text.parquet"
    text.write_text("no table")
    with pytest.raises(InputError, match=r"text.parquet: has no checksum") as caught:
        read_scores(text)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"nowhere: cannot be read"):
        read_scores(tmp_path / "missing.parquet", "nowhere")
    other = tmp_path / "other.parquet"
    few = pa.table({"sample": ["ggH"], "label": [1]})
    pq.write_table(few.replace_schema_metadata({KEY: UNSEALED}), other)
    other.write_bytes(seal(other.read_bytes()))
    with pytest.raises(InputError, match=r"as evaluate writes it: it has no column file_index"):
        read_scores(other)


def test_table_that_does_not_say_which_classes_are_signal(
    toy_events_of_classes: Events, tmp_path: Path
) -> None:
    path = tmp_path / "scores.parquet"
    scored = Scored("one", toy_events_of_classes.weight, toy_events_of_classes.weight)
    write_scores(toy_events_of_classes, samples_with_files(), [scored], path)
    older = pq.read_table(path)
    older = older.replace_schema_metadata({"rootflow": '{"files": []}', KEY: UNSEALED})
    pq.write_table(older, path)
    path.write_bytes(seal(path.read_bytes()))
    with pytest.raises(InputError, match=r"it does not say its signals: .*evaluate"):
        read_scores(path)
