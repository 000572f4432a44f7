"""The cuts on four-lepton events, each by the name that the cutflow shows."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rootflow.config.samples import FourLeptonSelectionConfig
from rootflow.ntuple.four_leptons.flavours import ELECTRON
from rootflow.physics.four_leptons import ETA, PDG_ID, PT, ZPairing

Cuts = dict[str, NDArray[np.bool_]]


def event_cuts(
    n_leptons: NDArray[np.int64],
    trigger: NDArray[np.bool_] | None,
    selection: FourLeptonSelectionConfig | None,
) -> Cuts:
    """Return the cuts on trigger and number of leptons, each (n,)."""
    cuts = {"all events": np.ones(len(n_leptons), dtype=np.bool_)}
    if trigger is not None:
        cuts["trigger"] = trigger
    if selection is not None and selection.exactly_four_leptons:
        cuts["exactly 4 leptons"] = n_leptons == 4
    else:
        cuts["at least 4 leptons"] = n_leptons >= 4
    return cuts


def lepton_cuts(
    leptons: NDArray[np.float32],
    quantities: Mapping[str, NDArray[np.float32]],
    selection: FourLeptonSelectionConfig,
) -> Cuts:
    """Return the cuts on single leptons and their charges, each (n,).

    Parameters
    ----------
    leptons
        (n, 4, 5) falling in pT, zeros where there are fewer.
    quantities
        (n, 4) of each quantity that the cuts need.
    """
    pt, eta, pdg_id = leptons[..., PT], leptons[..., ETA], leptons[..., PDG_ID]
    is_electron = np.abs(pdg_id) == ELECTRON
    thresholds = selection.lepton_pt_min_gev
    electron_eta, muon_eta = selection.electron_abs_eta_max, selection.muon_abs_eta_max
    cuts = {
        f"lepton pT >= {', '.join(f'{threshold:g}' for threshold in thresholds)} GeV": np.all(
            pt >= np.array(thresholds, dtype=np.float32), axis=1
        ),
        f"|eta| <= {electron_eta:g} (electrons), {muon_eta:g} (muons)": np.all(
            np.abs(eta) <= np.where(is_electron, electron_eta, muon_eta), axis=1
        ),
    }
    if selection.tight_leptons_min:
        cuts[f"at least {selection.tight_leptons_min} tight leptons"] = (
            np.count_nonzero(quantities["tight"], axis=1) >= selection.tight_leptons_min
        )
    for name, largest in (
        ("ptcone30", selection.ptcone30_over_pt_max),
        ("etcone20", selection.etcone20_over_pt_max),
    ):
        if largest is not None:
            cuts[f"{name} / pT <= {largest:g}"] = np.all(quantities[name] <= largest * pt, axis=1)
    for flavour, chosen, largest in (
        ("electrons", is_electron, selection.electron_d0_significance_max),
        ("muons", ~is_electron, selection.muon_d0_significance_max),
    ):
        if largest is not None:
            small = np.abs(quantities["d0_significance"]) <= largest
            cuts[f"|d0 significance| <= {largest:g} ({flavour})"] = np.all(small | ~chosen, axis=1)
    if selection.z0_sin_theta_max_mm is not None:
        z0_sin_theta = np.abs(quantities["z0_mm"]) / np.cosh(eta)
        cuts[f"|z0 sin(theta)| <= {selection.z0_sin_theta_max_mm:g} mm"] = np.all(
            z0_sin_theta <= selection.z0_sin_theta_max_mm, axis=1
        )
    if selection.zero_total_charge:
        cuts["total charge zero"] = np.sign(pdg_id).sum(axis=1) == 0
    return cuts


def pair_cuts(
    observables: Mapping[str, NDArray[np.float64]],
    pairing: ZPairing,
    selection: FourLeptonSelectionConfig,
) -> Cuts:
    """Return the cuts on pairs of leptons and on all four, each (n,)."""
    cuts = {}
    if selection.same_flavour_pairs:
        cuts["two pairs of same flavour, opposite charge"] = pairing.valid
    if selection.pair_mass_min_gev:
        cuts[f"mass of each such pair >= {selection.pair_mass_min_gev:g} GeV"] = (
            pairing.lowest_mass >= selection.pair_mass_min_gev
        )
    for symbol, name, window in (
        ("m(Z1)", "z1_mass", selection.z1_mass_gev),
        ("m(Z2)", "z2_mass", selection.z2_mass_gev),
        ("m(4l)", "m4l", selection.four_lepton_mass_gev),
    ):
        if window is not None:
            lowest, highest = window
            mass = observables[name]
            cuts[f"{lowest:g} <= {symbol} <= {highest:g} GeV"] = (lowest <= mass) & (
                mass <= highest
            )
    return cuts
