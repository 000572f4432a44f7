"""H -> ZZ* -> 4 leptons against its backgrounds, as in ATLAS Open Data."""

from typing import Any, Literal

from pydantic import Field, PositiveInt

from rootflow.analyses.tasks import ClassificationAnalysis
from rootflow.config import ClassificationConfig, ClassificationEvaluationConfig, InputsConfig
from rootflow.config.block import Range
from rootflow.config.data import FourLeptonDataConfig
from rootflow.config.simulation import FourLeptonSimulationConfig

# Not the mass of the four leptons; four-momenta, or all six pair masses, tell it all the same: the
# sculpting test shows how much is used.
INPUTS = {
    "leptons": ["pt", "eta", "phi", "energy", "pdg_id"],
    "event": [
        "mass_12", "mass_13", "mass_14", "mass_23", "mass_24", "mass_34",
        "z1_mass", "z2_mass", "pt_4l", "rapidity_4l",
        "cos_theta_star", "cos_theta_1", "cos_theta_2", "phi", "phi_1", "jet_n",
    ],
}  # fmt: skip


class H4lEvaluationConfig(ClassificationEvaluationConfig):
    """What the model is compared with, and how; the mass of the four leptons is drawn."""

    observable: str | None = "m4l"
    observable_title: str | None = r"$m(4\ell)$"
    observable_window: Range | None = (70.0, 250.0)
    observable_bins: PositiveInt = Field(36, le=10_000)


class H4lConfig(ClassificationConfig):
    """Everything that decides what rootflow does with four-lepton events."""

    analysis: Literal["h4l"]
    data: FourLeptonDataConfig
    simulation: FourLeptonSimulationConfig = FourLeptonSimulationConfig()
    inputs: InputsConfig = INPUTS
    evaluation: H4lEvaluationConfig = H4lEvaluationConfig()


class H4l(ClassificationAnalysis):
    """Tell Higgs bosons that decay to four leptons from everything else that does."""

    name = "h4l"
    config = H4lConfig

    @property
    def reading(self) -> Any:
        """Four leptons, and the Z bosons that they are of."""
        from rootflow.dataset.readings.four_leptons import FourLeptons

        return FourLeptons
