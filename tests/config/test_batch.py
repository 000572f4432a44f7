"""The vocabulary of jobs and the profiles of sites."""

from datetime import timedelta
from pathlib import Path

import pytest

from rootflow.config.batch import JobConfig, load_profile, profile_of
from rootflow.errors import UsageError

PROFILES = sorted((Path(__file__).parents[2] / "condor" / "profiles").glob("*.json"))


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_every_profile_is_valid_and_says_what_it_assumes(path: Path) -> None:
    profile = load_profile(path)
    assert profile.description
    assert profile.assumes


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("2d", 172800)]
)
def test_run_times_are_written_as_people_do(text: str, seconds: int) -> None:
    assert JobConfig.model_validate({"runtime": text}).runtime == timedelta(seconds=seconds)


def test_a_profile_survives_a_round_trip() -> None:
    profile = profile_of({"job": {"runtime": "2h", "classads": {"JobFlavour": "workday"}}}, "x")
    assert profile_of(profile.model_dump(mode="json"), "x") == profile


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"job": {"memory": 2}}, r"x: job.memory: unknown key.*valid keys: .*memory_gib"),
        ({"job": {"runtime": "long"}}, "x: job.runtime: "),
        ({"files": "nfs"}, "x: files: Input should be 'shared', 'transfer' or 'spool'"),
        (["job"], "x: "),
    ],
)
def test_an_unknown_word_is_said_with_the_valid_ones(words: object, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        profile_of(words, "x")


def test_a_profile_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json: cannot read the profile"):
        load_profile(tmp_path / "none.json")
