"""The figure of a training."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rootflow.evaluation.figures.style import new_figure, save_figure, styled

# The validation's metric is named as the training's, with this before it.
VALIDATION = "validation_"


def draw_history(
    history: Sequence[Mapping[str, float]], path: Path, style: str = "neutral"
) -> list[Path]:
    """Draw losses and accuracies per epoch.

    Parameters
    ----------
    history
        One mapping per epoch, of the metrics of a training, at least one epoch and one
        loss: those whose name ends in `loss` go into one panel, those that end in `accuracy`
        into another one; `validation_` stands before those of the validation.
    path
        Of the figure, ending in .png; the PDF is written beside it.
    style
        neutral, ATLAS or CMS.

    Returns
    -------
    Both files.
    """
    kinds = [kind for kind in ("loss", "accuracy") if any(_of(kind, epoch) for epoch in history)]
    with styled(style):
        figure, panels = new_figure(columns=len(kinds))
        for axes, kind in zip(panels, kinds, strict=True):
            _draw(axes, history, kind)
        return save_figure(figure, path.parent, path.stem)


def _of(kind: str, epoch: Mapping[str, float]) -> set[str]:
    return {name for name in epoch if name.endswith(kind)}


def _draw(axes: Axes, history: Sequence[Mapping[str, float]], kind: str) -> None:
    names = set().union(*(_of(kind, epoch) for epoch in history))
    quantities = sorted({name.removeprefix(VALIDATION) for name in names})
    for number, quantity in enumerate(quantities):
        for name, line, meaning in (
            (quantity, "--", "training"),
            (VALIDATION + quantity, "-", "validation"),
        ):
            if name in names:
                epochs = [number for number, epoch in enumerate(history, 1) if name in epoch]
                values = [epoch[name] for epoch in history if name in epoch]
                axes.plot(
                    epochs,
                    values,
                    color=f"C{number}",
                    linestyle=line,
                    marker=".",
                    label=f"{quantity.replace('_', ' ')}, {meaning}",
                )
    axes.set_xlabel("epoch")
    axes.set_ylabel(kind)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(axis="x", which="minor", bottom=False, top=False)
    axes.legend(fontsize="small")
