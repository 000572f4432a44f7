"""What a study found: its best trials as configurations, a table of all of them, figures."""

import warnings
from collections.abc import Callable, Iterator, Sequence
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
from rootflow.files import whole_file
from rootflow.tuning.study import with_values
from rootflow.tuning.watch import REASON

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
        with whole_file(place / name) as path:
            path.write_text(
                f"# Trial {trial.number} of the study '{study.study_name}': "
                f"{_said(tune, trial)}\n" + yaml.safe_dump(settings, sort_keys=False)
            )
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
            "why": trial.user_attrs.get(REASON, ""),
        }
        for trial in study.get_trials(deepcopy=False)
    ]


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
    varied = [path for path in tune.space if _several_values(done, path)]
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


def _several_values(trials: Sequence[FrozenTrial], path: str) -> bool:
    return len({trial.params[path] for trial in trials if path in trial.params}) > 1


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


def _said(tune: TuningConfig, trial: FrozenTrial) -> str:
    return ", ".join(
        f"{objective.metric} {value:.6g}"
        for objective, value in zip(tune.objectives, trial.values, strict=True)
    )
