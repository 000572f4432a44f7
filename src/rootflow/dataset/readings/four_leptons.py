"""Four leptons, the two Z bosons that they may be of, and the cuts on all of them."""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import FourLeptonSelectionConfig
from rootflow.dataset.reading import Accepted, Cuts, Reading, scattered
from rootflow.errors import UsageError
from rootflow.ntuple import BranchMap, Chunk, Feature, features_of
from rootflow.ntuple.columns import event_of
from rootflow.ntuple.features import MOMENTUM, feature
from rootflow.ntuple.objects import ELECTRON, MUON
from rootflow.ntuple.truth import is_one_of
from rootflow.physics.four_leptons import (
    FEATURES,
    ZPairing,
    observables,
    z_pairing,
)

N_LEPTONS = 4
TRIGGERS = "triggers"
# What the cuts need of the branch map, by their keys.
NEEDED = {
    "trigger": TRIGGERS,
    "tight_leptons_min": "tight",
    "ptcone30_over_pt_max": "ptcone30",
    "etcone20_over_pt_max": "etcone20",
    "electron_d0_significance_max": "d0_significance",
    "muon_d0_significance_max": "d0_significance",
    "z0_sin_theta_max_mm": "z0_mm",
}
# How a cut is switched off, where not with null.
OFF = {"trigger": "false", "tight_leptons_min": "0"}


class FourLeptons(Reading):
    """H -> ZZ* -> 4 leptons: the four, falling in pT, and what is computed of them.

    Without a selection, every event is kept that has four leptons or more.
    """

    # Pairs and angles need several times as much.
    chunk_bytes = 8 * 2**20
    met = False
    selection: FourLeptonSelectionConfig | None = FourLeptonSelectionConfig()

    def kept(self) -> Mapping[str, int]:
        """Return the number of leptons."""
        return {"leptons": N_LEPTONS}

    def needs(self, branch_map: BranchMap, name: str) -> Collection[str]:
        """Return what the cuts need, as the map names it."""
        super().needs(branch_map, name)
        if branch_map.jet_n is None:
            raise UsageError(f"data: the branch map {name} does not name jet_n")
        if branch_map.slots is not None and len(branch_map.slots) != N_LEPTONS:
            raise UsageError(f"data: the branch map {name} does not name four slots")
        asked = {key: each for key, each in NEEDED.items() if getattr(self.selection, key, None)}
        unknown = {key: each for key, each in asked.items() if not _has(branch_map, each)}
        if unknown:
            needed = ", ".join(dict.fromkeys(unknown.values()))
            off = ", ".join(f"{key}={OFF.get(key, 'null')}" for key in unknown)
            raise UsageError(
                f"data.selection: the branch map {name} does not name {needed}: switch off the "
                f"cuts that need it ({off})"
            )
        quantities = {f"leptons.{each}" for each in asked.values() if each != TRIGGERS}
        triggers = {each.branch for each in branch_map.triggers if TRIGGERS in asked.values()}
        return quantities | triggers | {"jet_n"}

    def event_features(self, branch_map: BranchMap) -> tuple[Feature, ...]:
        """Return the number of jets, what is computed of the leptons, and what the map names."""
        return (
            feature("jet_n", "none", branch_map.jet_n),
            *(Feature(name=name, unit=unit, branches=()) for name, unit in FEATURES),
            *features_of(branch_map)["event"],
        )

    def accept(self, chunk: Chunk) -> Accepted:
        """Return the leptons, pairs, masses and angles, and the cuts on them."""
        objects = self.accepted(chunk, {})
        leptons, table = objects["leptons"], chunk.objects["leptons"]
        _refuse_taus(chunk)
        slots = leptons.slots(N_LEPTONS)
        selection = self.selection
        cuts = {"all events": np.ones(len(chunk), dtype=np.bool_)}
        if selection is not None and selection.trigger:
            cuts["trigger"] = np.any(list(chunk.triggers.values()), axis=0)
        if selection is not None and selection.exactly_four_leptons:
            cuts["exactly 4 leptons"] = leptons.counts() == N_LEPTONS
        else:
            cuts["at least 4 leptons"] = leptons.counts() >= N_LEPTONS
        if selection is not None:
            rows = table.rows(slots, [*table.columns])
            quantities = {name: rows[..., place] for place, name in enumerate(table.columns)}
            cuts |= _lepton_cuts(quantities, selection)
        passing = np.flatnonzero(np.all(list(cuts.values()), axis=0))
        four = table.rows(slots[passing], (*MOMENTUM, "pdg_id"))
        pairing = z_pairing(four)
        found = observables(four, pairing)
        if selection is not None:
            for name, passes in _pair_cuts(found, pairing, selection).items():
                cuts[name] = scattered(passes, passing, len(chunk))
        computed = {name: scattered(values, passing, len(chunk)) for name, values in found.items()}
        return Accepted(objects, {"leptons": slots}, cuts, computed)


def _has(branch_map: BranchMap, quantity: str) -> bool:
    if quantity == TRIGGERS:
        return bool(branch_map.triggers)
    return all(quantity in leptons.quantities() for leptons in branch_map.leptons)


def _refuse_taus(chunk: Chunk) -> None:
    leptons = chunk.objects["leptons"]
    other = ~is_one_of(np.abs(leptons.columns["pdg_id"]), (ELECTRON, MUON))
    if other.any():
        raise chunk.rows.wrong_at(
            event_of(int(np.argmax(other)), leptons.offsets),
            f"a lepton is no electron ({ELECTRON}) or muon ({MUON})",
        )


def _lepton_cuts(
    quantities: Mapping[str, NDArray[np.float32]], selection: FourLeptonSelectionConfig
) -> Cuts:
    """Return the cuts on single leptons and their charges, each (n,).

    `quantities` (n, 4) are of the leptons as they fall in pT, zeros where there are fewer.
    """
    pt, eta, pdg_id = quantities["pt"], quantities["eta"], quantities["pdg_id"]
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


def _pair_cuts(
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
