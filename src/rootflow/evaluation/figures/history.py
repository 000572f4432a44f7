"""Figures of trainings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rootflow.evaluation.figures.style import new_figure, save_figure, styled

History = Sequence[Mapping[str, float]]

# A metric's name is the same with either before it.
TRAINING, VALIDATION = "training_", "validation_"
PANELS = {"loss": "loss", "accuracy": "accuracy", "auc": "AUC"}
# More epochs than this, such as those of trees, are drawn without points.
POINTS_AT_MOST = 60


def draw_histories(histories: Sequence[History], path: Path, style: str = "neutral") -> list[Path]:
    """Draw losses, accuracies and AUC per epoch.

    With several trainings, such as those of all folds, it is their mean and how they spread: bands
    are one standard deviation of the trainings; mean and band end where the first training ends,
    the thin lines are the trainings themselves.

    A history is one mapping per epoch, of its metrics: at least one epoch and one loss. Those whose
    name ends in `loss` go into one panel, those that end in `accuracy` or in `auc` into others;
    `training_` or `validation_` stands before each. The figure at `path`, which ends in .png, and
    the PDF beside it are returned.
    """
    names = {name for history in histories for epoch in history for name in epoch}
    kinds = [kind for kind in PANELS if any(name.endswith(kind) for name in names)]
    with styled(style):
        figure, panels = new_figure(columns=len(kinds))
        for axes, kind in zip(panels, kinds, strict=True):
            _draw_panel(axes, histories, kind, names)
        return save_figure(figure, path.parent, path.stem)


def _draw_panel(axes: Axes, histories: Sequence[History], kind: str, names: set[str]) -> None:
    of_kind = [name for name in names if name.endswith(kind)]
    quantities = {name.removeprefix(TRAINING).removeprefix(VALIDATION) for name in of_kind}
    for number, quantity in enumerate(sorted(quantities)):
        for name, line, meaning in (
            (TRAINING + quantity, "--", "training"),
            (VALIDATION + quantity, "-", "validation"),
        ):
            if name in names:
                words = quantity.replace("_", " ").replace("auc", "AUC")
                _draw_lines(axes, histories, name, f"C{number}", line, f"{words}, {meaning}")
    axes.set(xlabel="epoch", ylabel=PANELS[kind])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(axis="x", which="minor", bottom=False, top=False)
    title = f"mean of {len(histories)} trainings" if len(histories) > 1 else None
    axes.legend(fontsize="small", title=title, title_fontsize="small")


def _draw_lines(
    axes: Axes, histories: Sequence[History], name: str, colour: str, line: str, meaning: str
) -> None:
    lines = [
        (
            [number for number, epoch in enumerate(history, 1) if name in epoch],
            [epoch[name] for epoch in history if name in epoch],
        )
        for history in histories
    ]
    if len(lines) > 1:
        for epochs, values in lines:
            axes.plot(epochs, values, color=colour, linestyle=line, linewidth=0.6, alpha=0.4)
    shared = min((epochs for epochs, _ in lines), key=len)
    stacked = np.array([values[: len(shared)] for _, values in lines])
    mean = stacked.mean(axis=0)
    marker = "." if len(shared) <= POINTS_AT_MOST else ""
    axes.plot(shared, mean, color=colour, linestyle=line, marker=marker, label=meaning)
    if len(lines) > 1:
        spread = stacked.std(axis=0, ddof=1)
        axes.fill_between(shared, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)
