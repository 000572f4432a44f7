"""Two leptons of opposite sign, the positive one first, and jets with their truth."""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import SelectionConfig
from rootflow.dataset.reading import Accepted, Cuts, Reading
from rootflow.errors import UsageError
from rootflow.ntuple import BranchMap, Chunk
from rootflow.ntuple.objects import Chosen


class Dilepton(Reading):
    """Dileptonic ttbar: two leptons, jets, MET, and what the generator says.

    Jets fall in pT, those beyond `max_jets` are left out. The positive lepton comes first; of
    leptons of the same sign the harder one.
    """

    truth = True
    selection: SelectionConfig = SelectionConfig()
    max_jets: int = 8

    def kept(self) -> Mapping[str, int]:
        """Return the numbers of jets and leptons."""
        return {"jets": self.max_jets, "leptons": 2}

    def needs(self, branch_map: BranchMap, name: str) -> Collection[str]:
        """Refuse a map without MET, or without b-tags where the selection asks for them."""
        needed = super().needs(branch_map, name)
        if branch_map.met is None:
            raise UsageError(f"data: the branch map {name} names no met")
        if self.selection.btagged_jets_min and any(jets.btag is None for jets in branch_map.jets):
            raise UsageError(
                f"data.selection: the branch map {name} does not name btag: switch off the cut "
                "that needs it (btagged_jets_min=0)"
            )
        return needed

    def accept(self, chunk: Chunk) -> Accepted:
        """Return the objects that count, and all cuts."""
        selection = self.selection
        limits = {
            "jets": (selection.jet_pt_min_gev, selection.jet_abs_eta_max),
            "leptons": (selection.lepton_pt_min_gev, selection.lepton_abs_eta_max),
        }
        objects = self.accepted(chunk, limits)
        slots = objects["leptons"].slots(self.kept()["leptons"])
        signs = chunk.objects["leptons"].rows(slots, ["pdg_id"])[..., 0]
        cuts = self._cuts(chunk, objects, signs)
        wrong_way = np.flatnonzero((signs[:, 0] > 0) & (signs[:, 1] < 0))
        slots[wrong_way] = slots[wrong_way, ::-1]
        return Accepted(objects, {"leptons": slots}, cuts, {})

    def _cuts(
        self, chunk: Chunk, objects: Mapping[str, Chosen], signs: NDArray[np.float32]
    ) -> Cuts:
        selection, jets = self.selection, objects["jets"]
        n_leptons = objects["leptons"].counts()
        cuts = {"all events": np.ones(len(chunk), dtype=np.bool_)}
        lepton_cut = (
            f"leptons with pT >= {selection.lepton_pt_min_gev:g} GeV, "
            f"|eta| <= {selection.lepton_abs_eta_max:g}"
        )
        if selection.exactly_two_leptons:
            cuts[f"exactly 2 {lepton_cut}"] = n_leptons == 2
        else:
            cuts[f"at least 2 {lepton_cut}"] = n_leptons >= 2
        if selection.opposite_sign:
            cuts["leptons of opposite sign"] = signs[:, 0] * signs[:, 1] < 0
        cuts[
            f"at least {selection.jets_min} jets with pT >= {selection.jet_pt_min_gev:g} GeV, "
            f"|eta| <= {selection.jet_abs_eta_max:g}"
        ] = jets.counts() >= selection.jets_min
        if selection.btagged_jets_min:
            tagged = jets.event()[jets.column("btag") >= selection.btag_min]
            cuts[
                f"at least {selection.btagged_jets_min} of them b-tagged "
                f"(btag >= {selection.btag_min:g})"
            ] = np.bincount(tagged, minlength=len(chunk)) >= selection.btagged_jets_min
        if "dileptonic" in chunk.beside:
            cuts["both W bosons decay to a neutrino (truth)"] = chunk.beside["dileptonic"]
        return cuts
