"""Figures of a study, as Optuna draws them."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import optuna
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization import matplotlib as drawn

from rootflow.config import TuningConfig

FORMAT = ".png"
INCHES_PER_PARAMETER = 3.0
TRIALS_FOR_IMPORTANCE = 10  # fewer do not say what matters


def draw(study: optuna.Study, tune: TuningConfig, directory: Path) -> list[Path]:
    """Draw what there is to see of a study, and return the files.

    History, slices and parallel coordinates of each objective; from ten trials on the
    importance of each parameter without conditions, where results differ; the Pareto front
    of two or three objectives; the epochs where trials told them.
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
            path = directory / f"{name}{FORMAT}"
            figure.savefig(path, dpi=150, bbox_inches="tight")
            plt.close(figure)
            paths.append(path)
    return paths


def _drawings(study: optuna.Study, tune: TuningConfig) -> Iterator[tuple[str, Callable[[], Any]]]:
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not done:
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
        yield f"history{end}", _call(drawn.plot_optimization_history, study, **shown)
        if varied:
            yield f"slice{end}", _call(drawn.plot_slice, study, params=varied, **shown)
        if len(common) > 1:
            parallel = drawn.plot_parallel_coordinate
            yield f"parallel{end}", _call(parallel, study, params=common, **shown)
        if (
            len(common) > 1
            and len(done) >= TRIALS_FOR_IMPORTANCE
            and len({trial.values[index] for trial in done}) > 1
        ):
            # Of several objectives: what makes this one good, which is low for Optuna.
            sign = 1 if objective.direction == "minimize" else -1
            target = _value(index, sign) if several else None
            wanted = {"params": common, "target": target, "target_name": metric}
            yield f"importance{end}", _call(drawn.plot_param_importances, study, **wanted)
    if several and len(tune.objectives) <= 3:
        names = [objective.metric for objective in tune.objectives]
        yield "pareto", _call(drawn.plot_pareto_front, study, target_names=names)
    if any(trial.intermediate_values for trial in done):
        yield "epochs", _call(drawn.plot_intermediate_values, study)


def _several_values(trials: Sequence[FrozenTrial], path: str) -> bool:
    return len({trial.params[path] for trial in trials if path in trial.params}) > 1


def _thin_out(figure: Figure) -> None:
    """Keep labels of powers of ten only: others would overlap."""
    for axes in figure.axes:
        for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
            if scale == "log":
                axis.set_minor_formatter(NullFormatter())


def _call(function: Callable[..., Any], *arguments: Any, **options: Any) -> Callable[[], Any]:
    return lambda: function(*arguments, **options)


def _value(index: int, sign: int = 1) -> Callable[[FrozenTrial], float]:
    return lambda trial: sign * float(trial.values[index])
