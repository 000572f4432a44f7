import json
from pathlib import Path

import pytest

from rootflow.checksum import sealed_json
from rootflow.errors import InputError
from rootflow.evaluation.reconstruction import Evaluation, read, save


def test_what_is_saved_is_read_back(evaluation: Evaluation, tmp_path: Path) -> None:
    save(evaluation, tmp_path / "evaluation.json")
    assert read(tmp_path / "evaluation.json") == evaluation


def test_file_is_plain_json(evaluation: Evaluation, tmp_path: Path) -> None:
    save(evaluation, tmp_path / "evaluation.json")
    saved = json.loads((tmp_path / "evaluation.json").read_text())
    assert saved["methods"][0]["metrics"]["assignment_accuracy"].keys() == {"value", "error"}


def test_table_has_a_row_per_method(evaluation: Evaluation) -> None:
    rows = evaluation.table()
    assert [row["method"] for row in rows] == ["network", "random", "delta_r", "m_lb", "truth"]
    metrics = evaluation.metrics()
    assert rows[3]["assignment_accuracy"] == metrics["assignment_accuracy/m_lb"]
    assert rows[3]["assignment_accuracy_error"] == metrics["assignment_accuracy_error/m_lb"]
    assert rows[3]["neutrinos_of"] == "network"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file"),
        ("{", "has no checksum"),
        ('{"events": "many"}', "not an evaluation: events"),
    ],
)
def test_what_is_not_an_evaluation(tmp_path: Path, content: str | None, reason: str) -> None:
    path = tmp_path / "evaluation.json"
    if content is not None:
        path.write_bytes(sealed_json(content) if content.endswith("}") else content.encode())
    with pytest.raises(InputError, match=reason):
        read(path)
