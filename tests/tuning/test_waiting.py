"""Trials that are handed on: a job measures one after another."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from rootflow.tuning.waiting import WaitingTrials
from studies import (
    QUICK,
    asked_and_answered,
    assert_each_counted_once,
    starts_of,
    trials_of,
)
from toy_study import run_study


def test_each_trial_is_taken_by_one_job_the_oldest_first(tmp_path: Path) -> None:
    study = WaitingTrials(tmp_path)
    assert study.take_oldest(0) is None
    assert not study.is_open()
    numbers = range(200)
    for number in reversed(numbers):
        study.put(number)
    with ThreadPoolExecutor(8) as jobs:
        taken = list(jobs.map(study.take_oldest, numbers))
    assert sorted(number for number in taken if number is not None) == list(numbers)
    assert study.waiting() == []
    assert study.taken() == dict(zip(taken, numbers, strict=True))
    assert not study.take(3, 500)
    study.put(3)  # a job that had it is lost
    assert study.take(3, 500)
    assert study.take(3, 500)  # it starts again
    assert study.taken()[3] == 500
    study.forget(3)
    assert 3 not in study.taken()
    assert not study.take(3, 500)
    study.close()
    assert not study.is_open()


def jobs_of(place: Path, trials: int) -> set[str]:
    folder = place / "outputs" / "studies" / "toy" / "trials"
    return {(folder / f"{number:05d}" / "measured-by").read_text() for number in range(trials)}


def test_jobs_measure_one_trial_after_another_and_come_to_the_same(
    toy: Path,
    place: Path,
    undisturbed: list[tuple[dict[str, Any], Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOY", json.dumps({"others": "inf"}))
    run_study(toy, [*QUICK, "tune.parallel=4"])
    assert_each_counted_once(place, 8)
    assert asked_and_answered(trials_of(place)) == undisturbed
    assert len(jobs_of(place, 8)) <= 4
    study = place / "outputs" / "studies" / "toy"
    assert not list((study / "taken").iterdir())
    assert not (study / "waiting").exists()
    said = (study / "trials" / "00007" / "stderr.txt").read_text()
    assert said == ""


def test_job_takes_no_other_trial_that_its_run_time_may_not_suffice_for(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY", json.dumps({"others": "0.0"}))
    run_study(toy, [*QUICK, "tune.trials=4"])
    assert_each_counted_once(place, 4)
    assert len(jobs_of(place, 4)) == 4


def test_what_happens_to_a_job_happens_to_the_trial_that_it_is_at(
    toy: Path,
    place: Path,
    undisturbed: list[tuple[dict[str, Any], Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    toys = {"others": "inf", "killed": 3, "wrong": 4, "always_killed": 5}
    monkeypatch.setenv("TOY", json.dumps(toys))
    run_study(toy, [*QUICK, "tune.parallel=2", "tune.retries=1", "tune.sampler.startup_trials=8"])
    assert_each_counted_once(place, 8)
    trials = trials_of(place)
    failed = {trial.number for trial in trials if trial.state is TrialState.FAIL}
    assert failed == {4, 5}
    assert [starts_of(place, number) for number in range(8)] == [1, 1, 1, 2, 1, 2, 1, 1]
    assert "the loss is nan" in trials[4].user_attrs["reason"]
    killed = 128 + signal.SIGKILL
    assert trials[5].user_attrs["reason"] == f"lost 2 times: exit code {killed}"
    assert asked_and_answered(trials)[:3] == undisturbed[:3]
    assert str(os.getpid()) not in jobs_of(place, 8)
