"""A chunk: so many selected events, always the same for the same seed."""

import math

import awkward as ak
import numpy as np

from rootflow.config.simulation import ProcessConfig
from rootflow.errors import UsageError
from rootflow.simulation.generator import Generator
from rootflow.simulation.ntuple import Generation, Ntuple
from rootflow.simulation.plan import detector_generator, event_numbers, pythia_seed, stream_of
from rootflow.simulation.processes import PROCESSES, observe

SMALLEST_BATCH, LARGEST_BATCH = 20, 500
FIRST_GUESS_OF_ACCEPTANCE = 0.25
GENERATED_BEFORE_GIVING_UP = 5_000


def make_chunk(config: ProcessConfig, seed: int, chunk: int, events: int) -> Ntuple:
    """Generate until `events` are selected, with a generator of this chunk's own."""
    stream = stream_of(PROCESSES[config.process].number, chunk)
    generator = Generator(config, pythia_seed(seed, stream))
    rng = detector_generator(seed, stream)
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
    made["eventNumber"] = event_numbers(seed, stream, events)
    return Ntuple(made, Generation(generated, sum_of_weights, generator.cross_section_pb))
