"""Pythia, and chunks: so many selected events, always the same for the same seed."""

import math

import awkward as ak
import numpy as np
import pythia8mc

from rootflow.config.simulation import ProcessConfig
from rootflow.errors import RootflowError, UsageError
from rootflow.simulation.ntuple import Generation, Ntuple
from rootflow.simulation.plan import event_numbers, pythia_seed, stream_of
from rootflow.simulation.processes import NANOAOD_TREE, PROCESSES, observe, tree_of

SMALLEST_BATCH, LARGEST_BATCH = 20, 500
FIRST_GUESS_OF_ACCEPTANCE = 0.25
GENERATED_BEFORE_GIVING_UP = 5_000
GEV_PER_TEV = 1000.0
PB_PER_MB = 1e9


class Generator:
    """Pythia with one process; that it does not take a setting is a UsageError."""

    def __init__(self, config: ProcessConfig, pythia_seed: int) -> None:
        self._pythia = pythia8mc.Pythia("", False)
        for setting in _settings(config, pythia_seed):
            if not self._pythia.readString(setting, False):
                raise UsageError(
                    f"simulation.generator: Pythia does not take the setting '{setting}'"
                )
        if not self._pythia.init():
            raise UsageError("simulation.generator: Pythia cannot start with these settings")

    def events(self, count: int) -> ak.Array:
        """Return `count` events: their particles `prt`, and `info` on the hard process.

        Those that Pythia gives up are left out; it is a RootflowError where these are all.
        """
        batch = self._pythia.nextBatch(count)
        if len(batch) == 0:
            raise RootflowError(f"Pythia could not generate one of {count} events")
        return batch

    @property
    def cross_section_pb(self) -> float:
        """The cross section of what was generated so far.

        It is that of the decays that are switched on: Pythia multiplies by their branching
        ratio ("Resonance Decays" in its manual).
        """
        return float(self._pythia.infoPython().sigmaGen() * PB_PER_MB)


def _settings(config: ProcessConfig, pythia_seed: int) -> list[str]:
    pythia = config.generator
    return [
        "Print:quiet = on",
        "Random:setSeed = on",
        f"Random:seed = {pythia_seed}",
        f"Beams:eCM = {pythia.energy_tev * GEV_PER_TEV}",
        *PROCESSES[config.process].settings(pythia),
        f"PartonLevel:MPI = {'on' if pythia.multiparton_interactions else 'off'}",
        *pythia.settings,
    ]


def make_chunk(config: ProcessConfig, seed: int, chunk: int, events: int) -> Ntuple:
    """Generate until `events` are selected, with a generator of this chunk's own."""
    stream = stream_of(PROCESSES[config.process].number, chunk)
    generator = Generator(config, pythia_seed(seed, stream))
    rng = np.random.default_rng((seed, stream))  # of the detector
    batches: list[ak.Array] = []
    missing, generated, sum_of_weights = events, 0, 0.0
    acceptance = FIRST_GUESS_OF_ACCEPTANCE
    while missing > 0:
        wanted = min(max(missing / acceptance, SMALLEST_BATCH), LARGEST_BATCH)
        batch = generator.events(math.ceil(wanted))
        observed, selected = observe(batch, config, rng)
        kept = np.flatnonzero(selected)[:missing]
        missing -= len(kept)
        used = len(batch) if missing else int(kept[-1]) + 1
        generated += used
        sum_of_weights += float(ak.sum(batch.info.weights[:used, 0]))
        batches.append(observed[: len(kept)])
        if missing == events and generated >= GENERATED_BEFORE_GIVING_UP:
            raise UsageError(
                f"simulation.selection: none of {generated} generated events is selected; loosen it"
            )
        acceptance = max(events - missing, 1) / generated
    made = ak.concatenate(batches)
    numbers = event_numbers(seed, stream, events)
    if tree_of(config) == NANOAOD_TREE:
        made["event"] = numbers.astype(np.uint64)
    else:
        made["eventNumber"] = numbers
    return Ntuple(made, Generation(generated, sum_of_weights, generator.cross_section_pb))
