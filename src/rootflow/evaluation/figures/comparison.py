"""The figure of a comparison."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from rootflow.estimate import Estimate, PValue, with_error
from rootflow.evaluation.compare import ComparedModels
from rootflow.evaluation.figures.style import new_figure, save_figure, styled
from rootflow.evaluation.paired import in_words

# Of a figure's usual height, for each model; and for what is around them.
HEIGHT, AROUND = 0.11, 0.35
ABOVE: dict[str, Any] = {
    "xytext": (0, 7), "textcoords": "offset points", "ha": "center", "fontsize": "small",
}  # fmt: skip


def draw_comparison(comparison: ComparedModels, path: Path, style: str = "neutral") -> list[Path]:
    """Draw every metric of every model, and by how much the best model is better than each.

    Returns
    -------
    The figure at `path`, ending in .png, and the PDF beside it.
    """
    models, metrics = comparison.models, comparison.metrics
    best, rows = models[0].name, range(len(models))[::-1]  # the first one on top
    with styled(style):
        height = max(0.7, AROUND + HEIGHT * len(models))
        figure, panels = new_figure(columns=2, rows=len(metrics), heights=(height,) * len(metrics))
        for place, metric in enumerate(metrics):
            values, gains = panels[2 * place : 2 * place + 2]
            estimates = [model.metrics.get(metric) for model in models]
            _draw_rows(values, rows, estimates)
            names = [
                f"{m.name}\n{with_error(each)}" for m, each in zip(models, estimates, strict=True)
            ]
            values.set_yticks(rows, names, fontsize="small")
            values.set_xlabel(f"{in_words(metric)}, weighted")
            found = [comparison.comparison(best, model.name, metric) for model in models]
            _draw_rows(gains, rows, [each and each.gain for each in found])
            for row, each in zip(rows, found, strict=True):
                if each is not None:
                    text = PValue(each.p_value, comparison.replicas).equation
                    gains.annotate(text, (each.gain.value, row), **ABOVE)
            gains.axvline(0, color="grey", linestyle=":")
            gains.tick_params(axis="y", labelleft=False)
            gains.set_xlabel(f"gain of {best} in {in_words(metric)}")
        return save_figure(figure, path.parent, path.stem)


def _draw_rows(axes: Axes, rows: Sequence[int], estimates: Sequence[Estimate | None]) -> None:
    for row, estimate in zip(rows, estimates, strict=True):
        if estimate is not None:
            axes.errorbar(
                estimate.value, row, xerr=estimate.error, color="black", marker="o", capsize=3
            )
    axes.set_yticks(rows)
    axes.minorticks_off()
    axes.ticklabel_format(axis="x", style="plain")
    axes.tick_params(axis="y", left=False, right=False)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.margins(x=0.15)
    axes.grid(axis="x", alpha=0.3)
