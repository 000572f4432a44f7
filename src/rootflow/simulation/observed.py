"""What the detector sees of events with two leptons, before it has the branches of a layout."""

from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.simulation import DileptonProcessConfig, SimulationConfig
from rootflow.simulation.leptons import MeasuredLeptons
from rootflow.simulation.record import GeneratorRecord, Momenta, TopDecays


class Observed(NamedTuple):
    """n events, of which (n,) `selected` are written.

    `info` is what Pythia says of the hard processes; `tops` are the decays where there are top
    quarks.
    """

    config: SimulationConfig | DileptonProcessConfig
    info: Any
    record: GeneratorRecord
    tops: TopDecays | None
    jets: ak.Array
    leptons: MeasuredLeptons
    met: Momenta
    truth_met: Momenta
    selected: NDArray[np.bool_]
