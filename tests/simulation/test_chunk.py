import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from rootflow.config import SimulationConfig
from rootflow.config.simulation import DileptonSelectionConfig
from rootflow.errors import UsageError
from rootflow.simulation import chunk as chunk_module
from rootflow.simulation.chunk import make_chunk
from rootflow.simulation.ntuple import Ntuple, read_ntuples

IN_A_FRESH_PROCESS = """
import sys
from pathlib import Path
from rootflow.config import SimulationConfig
from rootflow.simulation.chunk import make_chunk
from rootflow.simulation.ntuple import write_ntuple
config = SimulationConfig.model_validate_json(sys.argv[1])
write_ntuple(make_chunk(config, 5, 1, 15), "reco", Path(sys.argv[2]))
"""


def test_a_chunk_does_not_depend_on_what_was_made_before(
    quick_config: SimulationConfig, tmp_path: Path
) -> None:
    before = make_chunk(quick_config, seed=5, chunk=0, events=5)
    after = make_chunk(quick_config, seed=5, chunk=1, events=15)
    path = tmp_path / "fresh.root"
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, quick_config.model_dump_json(), path]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    fresh = read_ntuples([path], "reco")
    assert fresh.generation == after.generation
    for branch in after.events.fields:
        assert ak.array_equal(after.events[branch], fresh.events[branch], check_parameters=False)
    met, other_met = (ak.to_numpy(made.events.truth_met_x) for made in (before, after))
    assert not np.isin(met, other_met).any()


def test_a_chunk_has_just_the_events_asked_for(ntuple: Ntuple) -> None:
    assert len(ntuple.events) == 300
    assert len(np.unique(ntuple.events.eventNumber)) == 300
    # A third of the dileptonic events is selected: acceptance, 0.9 per lepton, two jets.
    assert 300 / ntuple.generation.events == pytest.approx(0.33, abs=0.06)


def test_a_selection_that_nothing_passes_is_refused(
    quick_config: SimulationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_module, "GENERATED_BEFORE_GIVING_UP", 20)
    impossible = DileptonSelectionConfig(lepton_pt_min_gev=6000.0)
    with pytest.raises(UsageError, match="none of 20 generated events"):
        make_chunk(quick_config.model_copy(update={"selection": impossible}), 1, 0, 5)
