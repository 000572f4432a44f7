"""The figure of a comparison."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from rootflow.estimate import with_error
from rootflow.evaluation.classification.compare import Compared, RunComparison
from rootflow.evaluation.figures.style import new_figure, save_figure, styled
from rootflow.evaluation.results import Estimate
from rootflow.p_value import PValue

# Of a figure's usual height, for each model; and for what is around them.
HEIGHT, AROUND = 0.11, 0.35


def draw_comparison(comparison: RunComparison, path: Path, style: str = "neutral") -> list[Path]:
    """Draw the AUC of every model, and by how much each is below the best one.

    Parameters
    ----------
    comparison
        What was found.
    path
        Of the figure, ending in .png; the PDF is written beside it.
    style
        neutral, ATLAS or CMS.

    Returns
    -------
    Both files.
    """
    models = comparison.models
    best = models[0].name
    with styled(style):
        height = max(0.7, AROUND + HEIGHT * len(models))
        figure, (areas, differences) = new_figure(columns=2, heights=(height,))
        _draw_rows(areas, models, [model.auc for model in models])
        areas.set_yticks(_rows(models), [_name(model) for model in models], fontsize="small")
        areas.set_xlabel("AUC, weighted")
        found = [comparison.difference(best, model.name) for model in models[1:]]
        _draw_rows(differences, models, [None, *(each.gain for each in found)])
        for row, each in zip(_rows(models)[1:], found, strict=True):
            differences.annotate(
                PValue(each.p_value, comparison.replicas).equation,
                (each.gain.value, row),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
                fontsize="small",
            )
        differences.axvline(0, color="grey", linestyle=":")
        differences.tick_params(axis="y", labelleft=False)
        differences.set_xlabel("AUC below the best")
        return save_figure(figure, path.parent, path.stem)


def _draw_rows(
    axes: Axes, models: Sequence[Compared], estimates: Sequence[Estimate | None]
) -> None:
    rows = _rows(models)
    for row, estimate in zip(rows, estimates, strict=True):
        if estimate is not None:
            axes.errorbar(
                estimate.value, row, xerr=estimate.error, color="black", marker="o", capsize=3
            )
    axes.set_yticks(rows)
    axes.minorticks_off()
    axes.ticklabel_format(axis="x", style="plain")
    axes.tick_params(axis="y", left=False, right=False)
    axes.set_ylim(-0.7, len(models) - 0.3)
    axes.margins(x=0.15)
    axes.grid(axis="x", alpha=0.3)


def _rows(models: Sequence[Compared]) -> list[int]:
    """Return where each model is, the first one on top."""
    return list(np.arange(len(models))[::-1])


def _name(model: Compared) -> str:
    return f"{model.name}\n{with_error(model.auc)}"
