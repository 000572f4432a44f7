"""What is left of a finished study: best settings, figures, a storage that others read."""

from pathlib import Path
from typing import Any

import matplotlib.image
import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from rootflow.config import Config, TuningConfig, change, load
from rootflow.errors import UsageError
from rootflow.tuning.outcomes import draw, table, write_outcomes
from rootflow.tuning.study import open_study, place_of, storage_name
from studies import trials_in

TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
RATE, DEPTH = "training.learning_rate", "model.depth"
SPACE = {
    RATE: {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
    DEPTH: {"type": "int", "low": 1, "high": 4},
}
DISTRIBUTIONS: dict[str, BaseDistribution] = {
    RATE: FloatDistribution(1e-4, 1e-2, log=True),
    DEPTH: IntDistribution(1, 4),
}
LOSS = {"metric": "validation_loss", "direction": "minimize"}
PARAMETERS = {"metric": "parameters", "direction": "minimize"}


def finished(place: Path, *objectives: dict[str, str]) -> tuple[Config, TuningConfig, optuna.Study]:
    """Return a study of twelve trials, of which one failed."""
    tune = {"space": SPACE, "objectives": list(objectives), "name": "done"}
    config = change(load(TTBAR), {"tune": tune, "output": str(place)})
    assert config.tune is not None
    study = open_study(config, config.tune, place_of(config, config.tune))
    study.sampler = optuna.samplers.RandomSampler(seed=5)
    for number in range(12):
        trial = study.ask(DISTRIBUTIONS)
        loss = (trial.params[RATE] * 100 - 0.3) ** 2 + 0.02 * (trial.params[DEPTH] - 3) ** 2
        values = [loss, 1000.0 * trial.params[DEPTH]][: len(objectives)]
        if number == 4:
            trial.set_user_attr("reason", "the loss is nan")
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, values)
    return config, config.tune, study


def test_best_settings_are_a_configuration_of_the_other_steps(tmp_path: Path) -> None:
    config, tune, study = finished(tmp_path, LOSS)
    [path] = write_outcomes(config, tune, study, place_of(config, tune))
    best = load(path)
    assert best.training.learning_rate == study.best_params[RATE]
    assert best.model.depth == study.best_params[DEPTH]
    assert best.tune is None
    assert best.data == config.data
    assert path.read_text().startswith(
        f"# Trial {study.best_trial.number} of the study 'done': validation_loss "
    )


def test_each_trial_of_the_pareto_front_has_its_settings(tmp_path: Path) -> None:
    config, tune, study = finished(tmp_path, LOSS, PARAMETERS)
    paths = write_outcomes(config, tune, study, place_of(config, tune))
    assert len(paths) == len(study.best_trials) > 1
    depths = [load(path).model.depth for path in paths]
    assert depths == [trial.params[DEPTH] for trial in study.best_trials]


def test_table_has_every_trial_with_what_went_wrong(tmp_path: Path) -> None:
    _, tune, study = finished(tmp_path, LOSS)
    rows = table(study, tune)
    assert [row["trial"] for row in rows] == list(range(12))
    assert (rows[4]["state"], rows[4]["validation_loss"]) == ("fail", None)
    assert rows[4]["why"] == "the loss is nan"
    assert rows[3]["validation_loss"] == study.trials[3].value


@pytest.mark.parametrize(
    ("objectives", "names"),
    [
        ((LOSS,), {"history", "slice", "parallel", "importance"}),
        (
            (LOSS, PARAMETERS),
            {
                f"{name}_{metric}"
                for name in ("history", "slice", "parallel", "importance")
                for metric in ("validation_loss", "parameters")
            }
            | {"pareto"},
        ),
    ],
)
def test_figures_show_the_study(
    tmp_path: Path, objectives: tuple[dict[str, Any], ...], names: set[str]
) -> None:
    _, tune, study = finished(tmp_path, *objectives)
    paths = draw(study, tune, tmp_path / "figures")
    assert {path.stem for path in paths} == names
    for path in paths:
        assert matplotlib.image.imread(path).std() > 0.05  # something is drawn


def test_storage_is_one_that_the_dashboard_reads(tmp_path: Path) -> None:
    config, tune, study = finished(tmp_path, LOSS)
    again = trials_in(Path(storage_name(tune, place_of(config, tune))), "done")
    assert min(trial.value for trial in again if trial.value is not None) == study.best_value
    assert [trial.state for trial in again] == [trial.state for trial in study.trials]


def test_a_journal_that_a_kill_cut_short_is_mended(tmp_path: Path) -> None:
    config, tune, study = finished(tmp_path, LOSS)
    place, before = place_of(config, tune), len(study.trials)
    with (place / "study.journal").open("a") as file:
        file.write('{"op_code":4,"trial')
    again = open_study(config, tune, place)
    again.ask()
    assert len(trials_in(place / "study.journal", "done")) == before + 1


def test_a_study_of_before_journals_is_not_begun_again(tmp_path: Path) -> None:
    config, tune, _ = finished(tmp_path, LOSS)
    place = place_of(config, tune)
    (place / "study.journal").rename(place / "study.db")
    with pytest.raises(UsageError, match="a study of an earlier rootflow: go on with it by tune"):
        open_study(config, tune, place)
