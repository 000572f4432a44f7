"""Each setting of the simulation off its default: other events, or another record of them."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from other_values import SIMULATE
from rootflow.analysis import analysis_named
from rootflow.config import Config, change
from rootflow.config.simulation import ProcessConfig
from rootflow.simulation.chunk import Generator
from rootflow.simulation.plan import SimulationPlan
from rootflow.simulation.processes import observe
from small_configurations import small

GENERATED = 150
QUICK = {"simulation.generator.multiparton_interactions": False}
OF_GENERATOR, OF_EVENTS = "simulation.generator.", ("simulation.detector", "simulation.selection")
# What decides how many events there are, where, in which branches, or what weights add up to.
OF_PLAN = tuple(
    f"simulation.{name}"
    for name in (
        "workers",
        "events",
        "events_per_chunk",
        "events_per_file",
        "cross_sections",
        "layout",
    )
)
OF_ONE_PROCESS = {"zz_z_mass_min_gev": "ZZ", "z_mass_min_gev": "z_jets"}
CASES = [(analysis, path) for analysis, others in SIMULATE.items() for path in others]


def processes(config: Config) -> Mapping[str, ProcessConfig]:
    return analysis_named(config.analysis).processes(config)


@cache
def generated(analysis: str) -> tuple[ProcessConfig, ak.Array]:
    """Return a process without interactions of further partons, and events of it."""
    process = next(iter(processes(small(analysis, QUICK)).values()))
    return process, Generator(process, 1).events(GENERATED)


def observed(process: ProcessConfig, batch: ak.Array) -> ak.Array:
    return observe(batch, process, np.random.default_rng((1, 1)))[0]


@cache
def as_configured(analysis: str, given: str) -> ak.Array:
    return with_values(analysis, json.loads(given))


@cache
def particles(analysis: str, process: str, settings: str) -> ak.Array:
    """Return the particles of some events of a process, of the first one unless it is named."""
    known = processes(small(analysis, json.loads(settings)))
    config = known[process] if process else next(iter(known.values()))
    return Generator(config, 1).events(5).prt


def with_values(analysis: str, values: Mapping[str, Any]) -> ak.Array:
    config = small(analysis, {**QUICK, **values})
    return observed(next(iter(processes(config).values())), generated(analysis)[1])


def same(ours: ak.Array, theirs: ak.Array) -> bool:
    return len(ours) == len(theirs) and all(
        ak.array_equal(ours[field], theirs[field]) for field in ours.fields
    )


def names_of_samples(config: Config) -> dict[str, str]:
    return {
        name: SimulationPlan(process, config.seed, Path()).digest
        for name, process in processes(config).items()
    }


@pytest.mark.parametrize(("analysis", "path"), CASES)
def test_other_value_names_another_sample(analysis: str, path: str) -> None:
    other = SIMULATE[analysis][path]
    before = small(analysis, other.given)
    after = change(before, {path: other.value})
    changed = names_of_samples(before) != names_of_samples(after)
    assert changed == (path != "simulation.workers")


def blocks() -> Iterator[tuple[str, str]]:
    """Yield the blocks of the detector, and the selection."""
    for analysis, path in CASES:
        if path.startswith(OF_EVENTS):
            yield analysis, path.rpartition(".")[0]


@pytest.mark.parametrize(("analysis", "block"), dict.fromkeys(blocks()))
def test_other_values_of_a_block_make_other_events(analysis: str, block: str) -> None:
    values = {
        path: other.value
        for path, other in SIMULATE[analysis].items()
        if path.rpartition(".")[0] == block
    }
    assert not same(as_configured(analysis, "{}"), with_values(analysis, values))


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("analysis", "path"), [case for case in CASES if case[1].startswith(OF_EVENTS)]
)
def test_other_value_makes_other_events(analysis: str, path: str) -> None:
    other = SIMULATE[analysis][path]
    before = as_configured(analysis, json.dumps(dict(other.given)))
    after = with_values(analysis, {**other.given, path: other.value})
    assert same(before, after) != other.decides


@pytest.mark.parametrize(
    ("analysis", "path"), [case for case in CASES if case[1].startswith(OF_GENERATOR)]
)
def test_other_generators_make_other_events(analysis: str, path: str) -> None:
    other = SIMULATE[analysis][path]
    process = OF_ONE_PROCESS.get(path.removeprefix(OF_GENERATOR), "")
    assert not ak.array_equal(
        particles(analysis, process, "{}"),
        particles(analysis, process, json.dumps({path: other.value})),
    )


def test_all_settings_are_of_the_plan_the_generator_or_the_events() -> None:
    for _, path in CASES:
        assert path.startswith((*OF_PLAN, OF_GENERATOR, *OF_EVENTS)), path
