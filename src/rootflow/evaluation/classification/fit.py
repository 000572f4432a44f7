"""Discovery significance of a fit in bins of the score, with pyhf.

The model is that of HistFactory (CERN-OPEN-2012-016): Poisson counts in bins, of which
signal is scaled by the signal strength. L. Heinrich, M. Feickert, G. Stark, K. Cranmer,
JOSS 6 (2021) 2823.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyhf

from rootflow.errors import RootflowError
from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.classification.results import FitSignificance
from rootflow.evaluation.results import Spectrum

STRENGTH = "signal_strength"
BACKGROUND = "background_normalisation"
LUMINOSITY = "lumi"
STATISTICS = "simulated_statistics"


class Systematics(NamedTuple):
    """Relative uncertainties.

    Attributes
    ----------
    background
        Of the normalisation of all backgrounds together, with a log-normal effect.
    luminosity
        Of all that is expected.
    simulated_statistics
        Whether each bin has a parameter for the simulated statistics of its background
        (R. Barlow, C. Beeston, Comput. Phys. Commun. 77 (1993) 219, in the form of
        J. Conway, arXiv:1103.0354). Those of the signal are not in it: the parameter would
        be shared, and the background's uncertainty too small where there is much signal.
    """

    background: float
    luminosity: float
    simulated_statistics: bool


NONE = Systematics(0.0, 0.0, simulated_statistics=False)


def significance(
    scores: Spectrum,
    signals: Sequence[str],
    systematics: Systematics,
    expected_error: float | None = None,
) -> FitSignificance:
    """Return the discovery significance that is expected, and that of data if there is any.

    sqrt(q0) of the profile likelihood ratio for no signal, arXiv:1007.1727 eq. 12; the
    expected one on the Asimov data set with signal strength one.

    Parameters
    ----------
    scores
        Histograms of the processes, none negative, each bin with background.
    signals
        Names of those processes that are signal.
    systematics
        The uncertainties.
    expected_error
        To be told with the result.

    Raises
    ------
    RootflowError
        The fit does not converge.
    """
    model = _model(scores, signals, systematics)
    initial = model.config.suggested_init()
    asimov = np.asarray(model.expected_data(initial))
    expected, _ = _discovery(model, asimov)
    observed, strength = None, None
    if scores.data is not None:
        counts = np.array(scores.data.counts, np.float64)
        observed, strength = _discovery(model, np.append(counts, model.config.auxdata))
    return FitSignificance(expected, expected_error, observed, strength)


def _model(scores: Spectrum, signals: Sequence[str], systematics: Systematics) -> pyhf.Model:
    samples = [
        {
            "name": name,
            "data": list(histogram.weights),
            "modifiers": _modifiers(
                name in signals, np.sqrt(histogram.squared_weights), systematics
            ),
        }
        for name, histogram in scores.processes.items()
    ]
    parameters: list[Mapping[str, Any]] = [
        {"name": STRENGTH, "inits": [1.0], "bounds": [[0.0, _largest_strength(scores, signals)]]}
    ]
    if systematics.luminosity:
        sigma = systematics.luminosity
        parameters.append(
            {
                "name": LUMINOSITY,
                "auxdata": [1.0],
                "sigmas": [sigma],
                "inits": [1.0],
                "bounds": [[max(1 - 5 * sigma, 1e-3), 1 + 5 * sigma]],
            }
        )
    return pyhf.Model(
        {"channels": [{"name": "scores", "samples": samples}], "parameters": parameters},
        poi_name=STRENGTH,
        validate=False,  # It is made here, and the validator's schemas are slow to read.
    )


def _modifiers(
    is_signal: bool, errors: FloatArray, systematics: Systematics
) -> list[dict[str, Any]]:
    modifiers: list[dict[str, Any]] = []
    if systematics.luminosity:
        modifiers.append({"name": LUMINOSITY, "type": "lumi", "data": None})
    if is_signal:
        return [*modifiers, {"name": STRENGTH, "type": "normfactor", "data": None}]
    if systematics.background:
        factor = 1 + systematics.background
        effect = {"hi": factor, "lo": 1 / factor}
        modifiers.append({"name": BACKGROUND, "type": "normsys", "data": effect})
    if systematics.simulated_statistics:
        modifiers.append({"name": STATISTICS, "type": "staterror", "data": errors.tolist()})
    return modifiers


def _largest_strength(scores: Spectrum, signals: Sequence[str]) -> float:
    """Return twice the strength at which signal alone is all data, and ten more."""
    signal = np.sum([scores.processes[name].weights for name in signals], axis=0)
    observed = scores.data.counts if scores.data is not None else ()
    return float(10 + 2 * sum(observed) / np.sum(signal))


def _discovery(model: pyhf.Model, data: FloatArray) -> tuple[float, float]:
    """Return the significance and the fitted signal strength."""
    config = model.config
    initial, bounds, fixed = (
        config.suggested_init(),
        config.suggested_bounds(),
        config.suggested_fixed(),
    )
    try:
        q0, (_, free) = pyhf.infer.test_statistics.q0(
            0.0, data, model, initial, bounds, fixed, return_fitted_pars=True
        )
    except pyhf.exceptions.FailedMinimization as error:
        raise RootflowError(
            f"the fit in {len(data) - len(config.auxdata)} bins of the score does not converge: "
            f"{error}"
        ) from None
    return float(np.sqrt(max(float(q0), 0.0))), float(free[config.poi_index])
