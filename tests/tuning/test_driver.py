"""Studies of toy trials to their end, whatever happens to jobs and drivers."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient
from optuna.trial import TrialState

from rootflow.config import load
from rootflow.errors import AwayError, RootflowError, UsageError
from rootflow.tracking.study import StudyRun
from servers import free_port, serve, stop
from studies import (
    QUICK,
    asked_and_answered,
    assert_each_counted_once,
    runs_of,
    starts_of,
    trials_of,
    wait_for,
)
from toy_study import TOY_STUDY, run_study


def start(toy: Path, *settings: str, stdin: int | None = None) -> "subprocess.Popen[str]":
    command = [sys.executable, str(TOY_STUDY), str(toy), *QUICK, *settings]
    return subprocess.Popen(
        command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def toys(monkeypatch: pytest.MonkeyPatch, **words: Any) -> None:
    monkeypatch.setenv("TOY", json.dumps(words))


def test_same_seed_finds_the_same_trials_however_long_each_takes(
    toy: Path,
    place: Path,
    undisturbed: list[tuple[dict[str, Any], Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    toys(monkeypatch, slow=1)
    run_study(toy, QUICK)
    assert asked_and_answered(trials_of(place)) == undisturbed


def test_finished_study_is_not_repeated_and_goes_on_with_more_trials(
    toy: Path, place: Path
) -> None:
    run_study(toy, [*QUICK, "tune.trials=3"])
    before = trials_of(place)
    run_study(toy, [*QUICK, "tune.trials=3"])
    assert trials_of(place) == before
    run_study(toy, [*QUICK, "tune.trials=5"])
    assert trials_of(place)[:3] == before
    assert_each_counted_once(place, 5)


def test_what_is_no_number_and_a_trials_own_error_fail_it_at_once(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys(monkeypatch, nan=1, wrong=2, inf=3)
    run_study(toy, [*QUICK, "tune.trials=5"])
    assert_each_counted_once(place, 5)
    states = [trial.state for trial in trials_of(place)]
    assert states == [TrialState.COMPLETE, *[TrialState.FAIL] * 3, TrialState.COMPLETE]
    reasons = [run.data.tags.get("rootflow.error") for run in runs_of(place).values()]
    assert {"loss is nan", "loss is inf", "the loss is nan in epoch 1"} <= set(reasons)
    assert starts_of(place, 1) == starts_of(place, 2) == 1


def test_killed_job_is_the_same_trial_again_until_there_were_too_many(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys(monkeypatch, killed=0, always_killed=2)
    run_study(toy, [*QUICK, "tune.trials=4", "tune.retries=1"])
    assert_each_counted_once(place, 4)
    trials = trials_of(place)
    assert trials[0].state is TrialState.COMPLETE
    assert starts_of(place, 0) == 2
    assert trials[2].state is TrialState.FAIL
    assert starts_of(place, 2) == 2
    assert trials[2].user_attrs["reason"].startswith("lost 2 times: ")


def test_trial_that_hangs_past_its_run_time_fails(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys(monkeypatch, hangs=0, stops_late=1)
    profile = place / "short.yaml"
    profile.write_text(
        "{executor: local, slots: 4, grace: 1s, limits: {starts: 2},"
        " job: {runtime: 8s, memory_gib: 0.2}}"
    )
    run_study(toy, [*QUICK, f"tune.profile={profile}", "tune.trials=4", "tune.retries=1"])
    assert_each_counted_once(place, 4)
    hung, late, *others = trials_of(place)
    assert [trial.state for trial in others] == [TrialState.COMPLETE] * 2
    assert hung.state is late.state is TrialState.FAIL
    assert "ran for 8.0 s and did not stop within 1.0 s" in hung.user_attrs["reason"]
    assert starts_of(place, 0) == 2  # the job, and the retry
    assert late.user_attrs["reason"].startswith("given up after 2 starts (limits.starts)")
    assert starts_of(place, 1) == 2  # of one job: it was told to go on later


def test_runs_that_a_killed_job_left_open_are_ended_with_the_trial(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = StudyRun.begin_trial
    left: list[str] = []

    def begin_and_leave(runs: StudyRun, number: int, values: Mapping[str, Any]) -> str:
        parent = begin(runs, number, values)
        for _ in range(2):  # a step, and one below it
            tags = {"mlflow.parentRunId": left[-1] if left else parent}
            left.append(runs.run.client.create_run(runs.run.experiment_id, tags=tags).info.run_id)
        return parent

    monkeypatch.setattr(StudyRun, "begin_trial", begin_and_leave)
    run_study(toy, [*QUICK, "tune.trials=1"])
    client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")
    assert [client.get_run(run_id).info.status for run_id in left] == ["KILLED"] * 2


def test_many_failed_trials_in_a_row_end_the_study_with_the_reason(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys(monkeypatch, all_wrong=1)
    with pytest.raises(RootflowError, match=r"2 trials failed in a row, .* loss is nan"):
        run_study(toy, [*QUICK, "tune.failures=2"])
    assert sum(trial.state is TrialState.FAIL for trial in trials_of(place)) == 2


@pytest.mark.usefixtures("place")
def test_metric_that_is_not_there_is_said_with_those_that_are(toy: Path) -> None:
    wanted = "tune.objectives=[{metric: accuracy, direction: maximize}]"
    with pytest.raises(UsageError, match=r"'accuracy' is not a metric of a trial, .* loss, param"):
        run_study(toy, [*QUICK, wanted])
    with pytest.raises(UsageError, match="'auc' is not a metric of each epoch, which has loss"):
        run_study(toy, [*QUICK, "tune.name=x", "tune.pruner={name: median, metric: auc}"])


def test_pruned_trials_end_early_with_their_last_value(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys(monkeypatch, seconds=0.2, epochs=10)
    pruner = "tune.pruner={name: median, startup_trials: 2, warmup_epochs: 0}"
    run_study(toy, [*QUICK, pruner, "tune.parallel=2", "tune.trials=6"])
    assert_each_counted_once(place, 6)
    pruned = [trial for trial in trials_of(place) if trial.state is TrialState.PRUNED]
    assert pruned
    for trial in pruned:
        assert trial.value == trial.intermediate_values[trial.last_step or 0]
        assert len(trial.intermediate_values) < 10
        assert runs_of(place)[trial.number].info.status == "KILLED"


def test_several_objectives_have_a_pareto_front(toy: Path, place: Path) -> None:
    second = "{metric: parameters, direction: minimize}"
    both = f"tune.objectives=[{{metric: loss, direction: minimize}}, {second}]"
    run_study(toy, [*QUICK, both, "tune.trials=3"])
    for trial in trials_of(place):
        metrics = runs_of(place)[trial.number].data.metrics
        assert trial.values == [metrics["loss"], metrics["parameters"]]


def test_killed_driver_goes_on_and_nothing_is_lost_or_counted_twice(
    toy: Path,
    place: Path,
    undisturbed: list[tuple[dict[str, Any], Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    toys(monkeypatch, seconds=0.3)
    for moment in ("trials/00003/trial.json", "trials/00005/progress.jsonl"):
        driver = start(toy)
        wait_for(place / "outputs" / "studies" / "toy" / moment)
        driver.send_signal(signal.SIGKILL)
        driver.communicate()
    run_study(toy, QUICK)
    assert_each_counted_once(place, 8)
    assert [starts_of(place, number) for number in range(8)] == [1] * 8
    assert asked_and_answered(trials_of(place)) == undisturbed


def test_tracking_server_that_is_away_for_a_while_holds_nothing_up_for_good(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rootflow.tuning.outcomes.SECONDS_BETWEEN_TRIES", 0.1)
    for name in ("begin_trial", "end_trial"):
        monkeypatch.setattr(StudyRun, name, away_at_first(getattr(StudyRun, name), 3))
    run_study(toy, [*QUICK, "tune.trials=3"])
    assert_each_counted_once(place, 3)


def test_tracking_server_is_stopped_and_started_again_in_a_study(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://localhost:{port}")
    toys(monkeypatch, seconds=1.0)
    trials = place / "outputs" / "studies" / "toy" / "trials"
    server = serve(place, port, "mlflow.db")
    try:
        driver = start(toy)
        wait_for(trials / "00001" / "progress.jsonl")
        stop(server)
        wait_for(trials / "00001" / "measured.json")
        time.sleep(2)
        assert driver.poll() is None
        assert not (trials / "00007").exists()
        server = serve(place, port, "mlflow.db")
        said = driver.communicate(timeout=300)[1]
        assert driver.returncode == 0, said
        assert "does not answer" in said
    finally:
        stop(server)
    assert_each_counted_once(place, 8)
    assert [starts_of(place, number) for number in range(8)] == [1] * 8


def away_at_first(method: Callable[..., Any], times: int) -> Callable[..., Any]:
    left = [times]

    def call(*arguments: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise AwayError("tracking server does not answer")
        return method(*arguments)

    return call


@pytest.mark.parametrize(("answer", "starts"), [("y", 2), ("n", 1)])
def test_driver_is_alone_and_asks_what_becomes_of_the_jobs_when_it_is_interrupted(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch, answer: str, starts: int
) -> None:
    toys(monkeypatch, seconds=4.0)
    terminal, stdin = pty.openpty()
    driver = start(toy, "tune.trials=2", "tune.retries=0", stdin=stdin)
    trials = place / "outputs" / "studies" / "toy" / "trials"
    wait_for(trials / "00000" / "progress.jsonl")
    wait_for(trials / "00001" / "progress.jsonl")
    with pytest.raises(UsageError, match=f"another driver is at work .*process {driver.pid} on"):
        run_study(toy, QUICK)
    driver.send_signal(signal.SIGINT)
    os.write(terminal, f"{answer}\n".encode())
    said = driver.communicate()[1]
    os.close(terminal)
    os.close(stdin)
    assert "Remove 2 jobs?" in said
    assert "the same command goes on with the study 'toy'" in said
    run_study(toy, [*QUICK, "tune.trials=2", "tune.retries=0"])
    assert_each_counted_once(place, 2)
    assert [trial.state for trial in trials_of(place)] == [TrialState.COMPLETE] * 2
    assert [starts_of(place, number) for number in range(2)] == [starts] * 2


@pytest.mark.usefixtures("place")
def test_other_question_under_the_same_name_is_refused(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_study(toy, [*QUICK, "tune.trials=1"])
    for settings, where in (
        (["training.epochs=3"], r"with training\.epochs: \d+, now 3: take that back"),
        (["tune.folds=2", "seed=7"], r"with seed: \d+, now 7; tune\.folds: 1, now 2: "),
        (
            ["tune.space={model.depth: {high: 6}}"],
            r"with tune\.space\.model\.depth\.high: 4, now 6: ",
        ),
        (["tune.space={model.depth: null}"], r"tune\.space\.model\.depth\.low: 1, now not there"),
    ):
        with pytest.raises(UsageError, match=where):
            run_study(toy, [*QUICK, *settings])
    monkeypatch.setattr("rootflow.tuning.question.code_digest", lambda *_: "other")
    with pytest.raises(UsageError, match=r"with the code of dataset changed; the code of network"):
        run_study(toy, [*QUICK, "tune.trials=2"])


def test_a_study_starts_from_another_ones_trials(
    toy: Path, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    toys(monkeypatch, nan=1)
    run_study(toy, [*QUICK, "tune.trials=5"])
    old = [trial for trial in trials_of(place) if trial.state is TrialState.COMPLETE]
    inside = [trial for trial in old if trial.params["model.depth"] <= 2]
    assert 0 < len(inside) < len(old) == 4
    toys(monkeypatch)
    changed = [
        *(*QUICK, "tune.name=new", "tune.start_from=toy", "training.epochs=3", "tune.trials=2"),
        "tune.space={model.depth: {high: 2}}",
        "tune.space={training.batch_size: {type: categorical, choices: [64, 128, 256, 512]}}",
    ]
    capfd.readouterr()
    run_study(toy, changed)
    said = capfd.readouterr().err
    assert f"study 'new' starts from {len(inside)} trials of 'toy'; left out: " in said
    assert "1 that failed" in said
    assert f"{len(old) - len(inside)} outside of model.depth" in said
    assert "they were measured with training.epochs: " in said
    taken, own = trials_of(place, "new")[: len(inside)], trials_of(place, "new")[len(inside) :]
    batch_size = load(toy).training.batch_size
    assert [(t.params, t.value) for t in taken] == [
        ({**trial.params, "training.batch_size": batch_size}, trial.value) for trial in inside
    ]
    assert [trial.number for trial in own] == [len(inside), len(inside) + 1]
    run_study(toy, [*changed, "tune.trials=3"])
    assert len(trials_of(place, "new")) == len(inside) + 3
    assert "starts from" not in capfd.readouterr().err
    for setting, complaint in (
        ("tune.start_from=gone", r"start_from: there is no study in .*/studies/gone"),
        ("tune.start_from=third", "start_from: third is this study itself"),
        ("tune.objectives=[{metric: auc, direction: minimize}]", "other objectives: minimize loss"),
        ("tune.sampler.name=grid", "start_from: a grid asks for each of its points"),
    ):
        words = [*QUICK, "tune.name=third", "tune.start_from=toy", setting]
        with pytest.raises(UsageError, match=complaint):
            run_study(toy, words)


def test_study_is_driven_from_one_directory_only(toy: Path, place: Path) -> None:
    url = f"tune.storage=sqlite:///{place / 'shared.db'}"
    run_study(toy, [*QUICK, url, "tune.trials=1"])
    with pytest.raises(UsageError, match=r"belongs to another directory \(.*/outputs/studies/toy"):
        run_study(toy, [*QUICK, url, "output=elsewhere"])
    with pytest.raises(UsageError, match=r"tune.storage: cannot be opened"):
        run_study(toy, [*QUICK, "tune.storage=sqlite:////nowhere/at/all.db", "output=third"])
