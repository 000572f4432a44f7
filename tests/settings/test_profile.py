"""Each word of a profile off its default: another job, or another care for it."""

import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from other_values import PROFILE
from rootflow.batch import Job, make_executor
from rootflow.batch.care import decide
from rootflow.batch.contract import State, prepare
from rootflow.batch.job import SPEC
from rootflow.batch.packing import ABOUT, Packed
from rootflow.batch.progress import Progress
from rootflow.config.batch import ProfileConfig, profile_of
from rootflow.tracking.backend import describe
from rootflow.tracking.submission import RunToMake

PROJECT = Path(__file__).parents[2]
JOBS = 20
HELD_FOR_RESOURCES, MEMORY, DISK = 34, 102, 104


def nested(words: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, value in words.items():
        block, _, word = path.rpartition(".")
        (found.setdefault(block, {}) if block else found)[word] = value
    return found


def told(words: Mapping[str, Any], directory: Path) -> Iterator[object]:
    """Yield what a batch system, the node and the care for held jobs are told."""
    words = {path: _there(value, directory) for path, value in words.items()}
    text = describe(str(PROJECT), "preprocess", [RunToMake({})], nested(words))
    # Every word is in the name of the executor's folder; that is not what it is for.
    yield re.sub(r"executors/preprocess-\w+", "executors/preprocess", text)
    profile = profile_of(nested(words), "test")
    job = Job("job", ("true",), directory / "job")
    yield make_executor(profile, directory).describe([job] * JOBS)
    prepare(job, profile.job, profile)
    yield (job.directory / SPEC).read_text()
    yield from decisions(profile)


def _there(value: Any, directory: Path) -> Any:
    """Return a value, or the packed environment that it stands for."""
    if not str(value).startswith("{folder}"):
        return value
    file = Path(str(value).format(folder=directory))
    with tarfile.open(file, "w:gz") as archive:
        about = json.dumps(Packed("3.11", 1, 5000)._asdict()).encode()
        entry = tarfile.TarInfo(ABOUT)
        entry.size = len(about)
        archive.addfile(entry, io.BytesIO(about))
    return str(file)


def decisions(profile: ProfileConfig) -> Iterator[object]:
    """Yield what becomes of jobs that had too little, be it little or much."""
    for subcode, much in ((MEMORY, 12.0), (DISK, 30.0)):
        held = Progress(state=State.HELD, hold_code=HELD_FOR_RESOURCES, hold_subcode=subcode)
        for asked in (1.0, much):
            needs = profile.job.model_copy(update={"memory_gib": asked, "disk_gib": asked})
            yield decide(held, needs, profile.limits)


@pytest.mark.parametrize("path", PROFILE)
def test_other_word_tells_something_else(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "LANG_OF_OTHERS"):
        monkeypatch.setenv(name, "others")
    other = PROFILE[path]
    before = list(told(other.given, tmp_path))
    after = list(told({**other.given, path: other.value}, tmp_path))
    assert (before != after) == other.decides
