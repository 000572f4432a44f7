"""Files shared out among jobs: what they leave is what one process writes."""

import json
from pathlib import Path
from typing import Any

import pytest

from ntuples import Branches, write_ntuple
from rootflow.errors import UsageError
from rootflow.exported.folds import model_files
from rootflow.inference import jobs
from rootflow.inference.application import Setting
from rootflow.inference.files import Applied, apply_to_files
from rootflow.inference.jobs import Asked, calls, writing
from rootflow.inference.plan import Copying
from rootflow.places import Remote
from written_files import read_written

ORIGIN = {"sha256": "same"}
EVENTS = 300


@pytest.fixture
def files(branches: Branches, tmp_path: Path) -> list[Path]:
    some = [slice(first, first + EVENTS) for first in range(0, 4 * EVENTS, EVENTS)]
    return [
        write_ntuple(
            tmp_path / f"{number}.root", {name: array[part] for name, array in branches.items()}
        )
        for number, part in enumerate(some)
    ]


@pytest.fixture
def setting(ttbar_folds: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    monkeypatch.setattr("rootflow.inference.pieces.ENTRIES_AT_MOST", EVENTS // 2)
    return Setting(tuple(model_files([ttbar_folds])))


def do(asked: Asked) -> tuple[int, dict[str, Any]]:
    """Do what the jobs are told, each of about one file or piece, and write; count the jobs."""
    told = json.loads(json.dumps(calls(asked, 1.0)))
    for function, given in told:
        getattr(jobs, function.partition(":")[2])(**given)
    return len(told), jobs.write(**json.loads(json.dumps(writing(asked, asked.paths))))


@pytest.mark.parametrize(("output", "count"), [("out.root", 8), ("out", 4)])
def test_outputs_are_those_of_one_process(
    files: list[Path], setting: Setting, tmp_path: Path, output: str, count: int
) -> None:
    apply_to_files(setting, files, tmp_path / "one" / output, origin=ORIGIN)
    asked = Asked(setting, files, tmp_path / "many" / output, ORIGIN, Copying())
    jobs_done, said = do(asked)
    assert jobs_done == count
    assert Applied(**said).entries == len(files) * EVENTS
    assert content(tmp_path / "many" / output) == content(tmp_path / "one" / output)
    assert calls(asked, 1.0) == []


def content(output: Path) -> dict[str, list[str]]:
    paths = sorted(output.glob("*.root")) if output.is_dir() else [output]
    # By their text: no number is unlike itself there.
    return {
        path.name: list(map(str, read_written(path, "ttree", "reco").to_list())) for path in paths
    }


def test_what_a_job_scored_is_not_scored_by_who_writes(
    files: list[Path], setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(setting, files, tmp_path / "out.root", ORIGIN, Copying())
    for _, given in calls(asked, 1.0):
        jobs.score(**given)
    monkeypatch.setattr("rootflow.inference.pieces.Scoring.score", None)
    assert jobs.write(**writing(asked, files))["entries"] == len(files) * EVENTS


def test_no_job_is_told_of_the_query_of_a_url(setting: Setting) -> None:
    signed = Remote("https://host/file.root?signature=secret")
    asked = Asked(setting, [signed], Path("out"), ORIGIN, Copying())
    with pytest.raises(UsageError, match=r"https://host/file\.root: its URL has a query") as error:
        writing(asked, asked.paths)
    assert "secret" not in str(error.value).replace("maybe a secret", "")
