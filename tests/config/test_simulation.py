from pathlib import Path

import pytest
import yaml

from rootflow.config import load
from rootflow.config.simulation import SimulationConfig
from rootflow.errors import UsageError

CONFIG = Path(__file__).parents[2] / "configs" / "ttbar.yaml"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("simulation.detector.btagging.b_jets=[0.9]", "b_jets needs one efficiency for each of"),
        ("simulation.detector.btagging.b_jets=[0.9,0.8,0.7,0.6,0.7]", "from the loosest to the"),
        ("simulation.detector.btagging.b_jets=[1.9,0.8,0.7,0.6,0.5]", "between 0 and 1"),
        ("simulation.generator.initial_states=[]", "at least 1 item"),
        ("simulation.events_per_chunk=20000", "less than or equal to 16384"),
        ("simulation.generator.energy=13", "did you mean energy_tev"),
    ],
)
def test_wrong_settings_are_named(override: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(CONFIG, [override])


def test_the_shipped_configuration_says_what_holds_anyway() -> None:
    said = yaml.safe_load(CONFIG.read_text())["simulation"]
    assert SimulationConfig.model_validate(said) == SimulationConfig()
