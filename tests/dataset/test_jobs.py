"""Datasets whose files are read by jobs: the same, to the last byte, as those read by one."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rootflow.config import load
from rootflow.dataset import build, parts
from rootflow.dataset.jobs import arguments, read, remember, shares
from rootflow.dataset.kept import KeptParts
from rootflow.errors import InputError
from rootflow.places import Place
from small_datasets import reading_of

PROJECT = Path(__file__).parents[2]
# Of a part, which a job of its own reads each.
BYTES = 500_000


class Asked:
    """A dataset of a configuration that comes with rootflow, in a folder, with what jobs read."""

    def __init__(self, analysis: str, files: dict[str, list[Place]], place: Path) -> None:
        self.path = PROJECT / "configs" / f"{analysis}.yaml"
        self.data = load(self.path).data
        self.reading = reading_of(self.data)
        self.files, self.place = files, place
        self.kept = KeptParts(place / "kept", self.data, self.reading)
        self.kept.directory.mkdir(parents=True)

    def jobs(self) -> list[dict[str, Any]]:
        """Return what each job is given, as it comes to it."""
        every = shares(self.data, self.files, self.reading, BYTES / 10)
        given = [arguments(each, self.path, self.files, self.kept) for each in every]
        jobs: list[dict[str, Any]] = json.loads(json.dumps(given))
        return jobs

    def written(self, name: str, kept: KeptParts | None = None) -> dict[str, bytes]:
        """Return the files of the dataset, made in a folder of this name."""
        made = build(self.data, self.files, self.place / name, self.reading, kept)
        files = {path.name: path.read_bytes() for path in sorted(made.path.iterdir())}
        return {f"{made.path.name}/{path}": content for path, content in files.items()}


@pytest.fixture(params=["h4l", "ttbar"])
def asked(
    request: pytest.FixtureRequest,
    ttbar_files: list[Path],
    h4l_files: dict[str, list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Asked:
    monkeypatch.setattr(parts, "SHARE_BYTES", BYTES)
    files = {"ttbar": ttbar_files} if request.param == "ttbar" else h4l_files
    return Asked(request.param, {name: [*each] for name, each in files.items()}, tmp_path)


def test_dataset_is_the_same_whoever_reads_its_files(
    asked: Asked, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = asked.jobs()
    assert len(jobs) >= 4
    remember([read(**job) for job in jobs], asked.place / "there")
    here = asked.written("here")
    # What jobs have told of the files is believed: none is read for its checksum again.
    monkeypatch.setattr(sys.modules["rootflow.dataset.digest"], "adler32_of", None)
    assert asked.written("there", asked.kept) == here
    assert "unread" not in capsys.readouterr().err


def test_what_jobs_have_left_is_read_by_who_builds(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    _, *jobs = asked.jobs()
    for job in jobs:
        read(**job)
    assert asked.written("there", asked.kept) == asked.written("here")
    said = capsys.readouterr().err
    assert f"of {sum(map(len, asked.files.values()))} files jobs have left 1 unread" in said
    assert next(iter(asked.files.values()))[0].name in said


def test_part_that_is_damaged_is_refused(asked: Asked) -> None:
    for job in asked.jobs():
        read(**job)
    part = min(asked.kept.directory.iterdir())
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    with pytest.raises(InputError, match=rf"{part.name}: its checksum .* remove .*kept"):
        asked.written("there", asked.kept)
