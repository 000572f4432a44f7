"""What became of each trial, and what a study found: configurations, a table, figures."""

import shutil
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import optuna
import yaml
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization import matplotlib as drawn

from rootflow.config import Config, TuningConfig
from rootflow.errors import AwayError
from rootflow.files import whole_file
from rootflow.tracking.carried import TRACKING, merge
from rootflow.tracking.study import StudyRun
from rootflow.tuning.start import OF_TRIAL
from rootflow.tuning.study import with_values
from rootflow.tuning.trials import OUTPUTS, files_of
from rootflow.tuning.watch import REASON, RUN_ID, Running, TrialOutcome

# A pruned trial was ended from outside, as far as MLflow has a word for it.
STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}
SECONDS_BETWEEN_TRIES = 5.0
SECONDS_TO_WAIT = 600.0


@dataclass
class TrialLedger:
    """The ended trials of a study; Optuna's storage is what counts.

    Runs are written after it, so what a killed driver did not come to is written by the next.
    What a trial has made without shared files comes to `home` then, the study's output.
    """

    study: optuna.Study
    tune: TuningConfig
    place: Path
    runs: StudyRun
    home: Path

    def __post_init__(self) -> None:
        self.counts: Counter[TrialState] = Counter()
        self.failed_in_a_row = 0
        self.last_reason = ""
        self._unwritten: list[FrozenTrial] = []
        self._where: dict[int, Mapping[str, str]] = {}
        open_trials = self.runs.open_trials()
        for trial in self.study.get_trials(deepcopy=False):
            if trial.state in STATUS:
                self.counts[trial.state] += 1
                if trial.number in open_trials:
                    self._unwritten.append(trial)

    def tell(self, running: Running, outcome: TrialOutcome, where: Mapping[str, str]) -> None:
        """Tell Optuna how a trial ended; its run says `where`."""
        if outcome.reason:
            self.last_reason = outcome.reason
            running.trial.set_user_attr(REASON, outcome.reason)
        failed = outcome.state is TrialState.FAIL
        self.failed_in_a_row = self.failed_in_a_row + 1 if failed else 0
        told = self.study.tell(running.trial, outcome.values, state=outcome.state)
        self.counts[told.state] += 1
        self._unwritten.append(told)
        self._where[told.number] = where

    def write(self) -> None:
        """Write what was told to the trials' runs, as far as the server answers."""
        with suppress(AwayError):
            while self._unwritten:
                self._write(self._unwritten[0])
                self._where.pop(self._unwritten.pop(0).number, None)

    def finish(self) -> None:
        """Write everything that is left, and wait some minutes for the server, or raise."""
        until = time.monotonic() + SECONDS_TO_WAIT
        self.write()
        while self._unwritten and time.monotonic() < until:
            time.sleep(SECONDS_BETWEEN_TRIES)
            self.write()
        if self._unwritten:
            self._write(self._unwritten[0])

    def describe_best(self) -> str:
        """Return a line about the best trial so far."""
        if not self.counts[TrialState.COMPLETE]:
            return ""
        if len(self.tune.objectives) > 1:
            return f"{len(self.study.best_trials)} on the Pareto front"
        best, metric = self.study.best_trial, self.tune.objectives[0].metric
        return f"best {metric} {best.value:.5g} (trial {best.number})"

    def _write(self, trial: FrozenTrial) -> None:
        where = self._where.get(trial.number, {})
        tags = {**where, "rootflow.trial.state": trial.state.name.lower()}
        if REASON in trial.user_attrs:
            tags["rootflow.error"] = trial.user_attrs[REASON][:5000]
        run_id = trial.user_attrs.get(RUN_ID)
        if run_id is None:  # its values do not go together: there was nothing to run
            run_id = self.runs.begin_trial(trial.number, trial.params)
        files = files_of(self.place, trial.number)
        result = files.result()
        names = [objective.metric for objective in self.tune.objectives]
        told = dict(zip(names, trial.values or [], strict=False))
        metrics = told if result is None else {**result.metrics, **told}
        ended = trial.datetime_complete
        milliseconds = int(ended.timestamp() * 1000) if ended else 0
        if (made := files.directory / OUTPUTS).is_dir():
            merge(made, self.home)
            shutil.rmtree(made)
        spool = files.directory / TRACKING
        self.runs.end_trial(run_id, STATUS[trial.state], tags, metrics, milliseconds, spool)
        shutil.rmtree(spool, ignore_errors=True)  # it is with the run now


INCHES_PER_PARAMETER = 3.0
TRIALS_FOR_IMPORTANCE = 10  # fewer do not say what matters


def write_outcomes(
    config: Config, tune: TuningConfig, study: optuna.Study, place: Path
) -> list[Path]:
    """Write best.yaml, or best-NUMBER.yaml of each on a Pareto front, as the steps take it."""
    trials: Sequence[FrozenTrial] = []
    if _done(study):
        trials = study.best_trials if len(study.directions) > 1 else [study.best_trial]
    for old in place.glob("best*.yaml"):
        old.unlink()
    paths = []
    for trial in trials:
        name = "best.yaml" if len(trials) == 1 else f"best-{trial.number}.yaml"
        settings = with_values(config, trial.params).model_dump(mode="json", exclude={"tune"})
        values = zip(tune.objectives, trial.values, strict=True)
        said = ", ".join(f"{objective.metric} {value:.6g}" for objective, value in values)
        head = f"# Trial {trial.number} of the study '{study.study_name}': {said}\n"
        with whole_file(place / name, private=True) as path:
            path.write_text(head + yaml.safe_dump(settings, sort_keys=False))
        paths.append(place / name)
    return paths


def table(study: optuna.Study, tune: TuningConfig) -> list[dict[str, Any]]:
    """Return a row for each trial."""
    names = [objective.metric for objective in tune.objectives]
    return [
        {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            **dict(zip(names, trial.values or [None] * len(names), strict=True)),
            **{path: trial.params.get(path) for path in tune.space},
            "why": trial.user_attrs.get(REASON, _origin(trial)),
        }
        for trial in study.get_trials(deepcopy=False)
    ]


def _origin(trial: FrozenTrial) -> str:
    """Return which trial of another study one was, if any."""
    name, number = trial.user_attrs.get(OF_TRIAL, (None, 0))
    return f"trial {number} of {name}" if name is not None else ""


def draw(study: optuna.Study, tune: TuningConfig, directory: Path) -> list[Path]:
    """Draw what there is to see of a study, as Optuna does, and return the files.

    The importance of parameters needs ten trials whose results differ; parameters with conditions
    are left out where trials are compared.
    """
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    with plt.style.context("default"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", "PedAnova", UserWarning)  # of targets: they are low
        for name, drawing in _drawings(study, tune):
            axes = np.atleast_1d(np.asarray(drawing()))
            figure = axes.flat[0].figure
            if name.startswith(("slice", "parallel")):
                figure.set_size_inches(INCHES_PER_PARAMETER * (len(tune.space) + 1), 4)
            _thin_out(figure)
            paths.append(directory / f"{name}.png")
            figure.savefig(paths[-1], dpi=150, bbox_inches="tight")
            plt.close(figure)
    return paths


def _drawings(study: optuna.Study, tune: TuningConfig) -> Iterator[tuple[str, Callable[[], Any]]]:
    if not (done := _done(study)):
        return
    several = len(tune.objectives) > 1
    chosen = {path: {t.params[path] for t in done if path in t.params} for path in tune.space}
    varied = [path for path, values in chosen.items() if len(values) > 1]
    # Those without conditions: what compares trials needs each of them in all.
    common = [path for path in varied if all(path in trial.params for trial in done)]
    for index, objective in enumerate(tune.objectives):
        metric = objective.metric
        end = f"_{metric.replace('/', '_')}" if several else ""
        target = _value(index) if several else None
        shown: dict[str, Any] = {"target": target, "target_name": metric}
        yield f"history{end}", partial(drawn.plot_optimization_history, study, **shown)
        if varied:
            yield f"slice{end}", partial(drawn.plot_slice, study, params=varied, **shown)
        if len(common) < 2:
            continue
        shown["params"] = common
        yield f"parallel{end}", partial(drawn.plot_parallel_coordinate, study, **shown)
        differ = len({trial.values[index] for trial in done}) > 1
        if differ and len(done) >= TRIALS_FOR_IMPORTANCE:
            # Of several objectives: what makes this one good, which is low for Optuna.
            if several and objective.direction == "maximize":
                shown["target"] = _value(index, sign=-1)
            yield f"importance{end}", partial(drawn.plot_param_importances, study, **shown)
    if several and len(tune.objectives) <= 3:
        names = [objective.metric for objective in tune.objectives]
        yield "pareto", partial(drawn.plot_pareto_front, study, target_names=names)
    if any(trial.intermediate_values for trial in done):
        yield "epochs", partial(drawn.plot_intermediate_values, study)


def _thin_out(figure: Figure) -> None:
    """Keep labels of powers of ten only: others would overlap."""
    for axes in figure.axes:
        for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
            if scale == "log":
                axis.set_minor_formatter(NullFormatter())


def _value(index: int, sign: int = 1) -> Callable[[FrozenTrial], float]:
    return lambda trial: sign * float(trial.values[index])


def _done(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
