"""A trial's job when what it needs is away for a while."""

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from rootflow.config import load
from rootflow.errors import AwayError
from rootflow.steps import train, trial
from rootflow.steps.result import StepResult
from rootflow.tuning.trials import Trial, TrialFiles


def test_a_trial_waits_for_a_server_that_is_away(
    workspace: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "mlflow.db").write_bytes(empty_store.read_bytes())
    run_id = MlflowClient(f"sqlite:///{workspace / 'mlflow.db'}").create_run("0").info.run_id
    files = TrialFiles(workspace / "trial")
    message = Trial(study="s", number=0, run_id=run_id, held_out=(), then=())
    files.write_trial(message, load(Path(__file__).parents[2] / "configs" / "ttbar.yaml"))
    answers = [AwayError("database is locked"), AwayError("database is locked"), None]

    def away_at_first(*_: object) -> StepResult:
        if (error := answers.pop(0)) is not None:
            raise error
        return StepResult("train", run_id, {}, metrics={"loss": 0.5})

    monkeypatch.setattr(train, "run", away_at_first)
    monkeypatch.setattr(trial, "SECONDS_BETWEEN_TRIES", 0.0)
    trial.run(files.directory)
    result = files.result()
    assert result is not None
    assert result.metrics == {"loss": 0.5}
    # One that stays away is no result: the trial can be run again.
    (files.directory / "measured.json").unlink()
    answers += [AwayError("database is locked")]
    monkeypatch.setattr(trial, "SECONDS_TO_WAIT", -1.0)
    with pytest.raises(AwayError, match="is locked"):
        trial.run(files.directory)
    assert files.result() is None
