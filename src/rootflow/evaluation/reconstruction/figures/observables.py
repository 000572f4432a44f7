"""One figure for each observable: distribution, residuals, bias and resolution."""

from matplotlib.figure import Figure

from rootflow.evaluation.figures.stack import Described, layers_of, stack
from rootflow.evaluation.figures.style import (
    Look,
    draw_binned,
    draw_density,
    label,
    new_figure,
)
from rootflow.evaluation.reconstruction.figures.matrices import title_of
from rootflow.evaluation.reconstruction.observables import Observable
from rootflow.evaluation.reconstruction.results import Evaluation, MethodResult, ObservableResult

Found = list[tuple[MethodResult, ObservableResult]]


def with_observable(name: str, evaluation: Evaluation) -> Found:
    """Return the methods that have an observable, and what was found of it."""
    return [
        (method, method.observables[name])
        for method in evaluation.methods
        if name in method.observables
    ]


def collisions(each: Observable, method: MethodResult, evaluation: Evaluation) -> Figure:
    """Draw an observable in collisions over what is expected of each sample."""
    data = [process for process in evaluation.processes if process.kind == "data"]
    about = Described(
        layers=layers_of(evaluation.processes),
        data="pseudo-data" if data and all(process.pseudo_data for process in data) else "data",
        background_uncertainty=0.0,
        energy_tev=evaluation.energy_tev,
        luminosity_fb_inverse=None,
    )
    spectrum = method.spectra[each.name]
    note = f"reconstructed by {method.name}"
    return stack(about, spectrum, quantity=each.symbol, unit=each.unit, note=note)


def observable(each: Observable, evaluation: Evaluation, look: Look) -> Figure:
    """Draw an observable of every method beside its truth."""
    figure, (distribution, residuals, bias, resolution) = new_figure(columns=2, rows=2)
    found = [
        (method, result)
        for method, result in with_observable(each.name, evaluation)
        # The true neutrinos are the truth itself.
        if each.of == "tops" or method.name != "truth"
    ]
    truth = evaluation.truth[each.name]
    draw_density(distribution, truth, colour="grey", line="-", name="generated", filled=True)
    for method, result in found:
        for axes, histogram in (
            (distribution, result.distribution),
            (residuals, result.residuals),
        ):
            draw_density(
                axes,
                histogram,
                colour=look.colour(method.name),
                line=look.line(method.name),
                name=title_of(method),
            )
    draw_binned(bias, [(method.name, result.bias) for method, result in found], look)
    draw_binned(resolution, [(method.name, result.resolution) for method, result in found], look)
    distribution.set_xlim(truth.edges[0], truth.edges[-1])
    distribution.set_xlabel(each.axis)
    residuals.set_xlim(-each.reach, each.reach)
    residuals.set_xlabel(each.residual_axis)
    residuals.axvline(0, color="grey", linewidth=0.8)
    for axes in (distribution, residuals):
        axes.set_ylabel("events / unit, normalised")
        axes.set_ylim(bottom=0)
    bias.axhline(0, color="grey", linewidth=0.8)
    unit = "" if each.relative or not each.unit else f" [{each.unit}]"
    kind = "relative " if each.relative else ""
    bias.set_ylabel(f"{kind}bias{unit}")
    resolution.set_ylabel(f"{kind}resolution{unit}")
    resolution.set_ylim(bottom=0)
    for axes in (bias, resolution):
        axes.set_xlabel(f"true {each.axis}")
    handles, names = distribution.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize="small")
    for axes in (distribution, residuals, bias, resolution):
        label(axes, evaluation.energy_tev)
    return figure
