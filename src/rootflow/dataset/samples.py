"""Labelled samples of four-lepton events."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from rootflow.config.samples import LabelledDataConfig, SampleConfig
from rootflow.dataset.expected_events import expected_events, wanted_for
from rootflow.dataset.identity import content_of
from rootflow.dataset.manifest import Normalisation
from rootflow.dataset.plans import Part, Plan, ReadEvents, ReadFile
from rootflow.errors import InputError
from rootflow.ntuple.four_leptons import (
    FourLeptonMap,
    Wanted,
    features_of,
    first_of_simulation,
    load_four_lepton_map,
    quantities_for,
    read_chunks,
    select,
)


def plans(config: LabelledDataConfig, files: Mapping[str, Sequence[Path]]) -> list[Plan]:
    """Return the plan of each sample, in the order of the configuration.

    Raises
    ------
    UsageError
        There is no such branch map, or it does not name what a cut or the scale of the
        weights needs.
    """
    return [_plan(config, name, sample, files[name]) for name, sample in config.samples.items()]


def _plan(
    config: LabelledDataConfig, name: str, sample: SampleConfig, files: Sequence[Path]
) -> Plan:
    map_name = sample.branch_map or config.branch_map
    branch_map = load_four_lepton_map(map_name)
    quantities = quantities_for(config.selection, branch_map, map_name)
    wanted = wanted_for(quantities, name, sample, branch_map, map_name)
    is_collisions = sample.label == "data" and not sample.pseudo_data

    def normalise(read_files: Sequence[ReadFile]) -> Normalisation | None:
        if sample.label == "data":
            return None
        return expected_events(config.weights, name, sample, branch_map, read_files)

    return Plan(
        name=name,
        label=sample.label,
        title=sample.title or name,
        files=files,
        branch_map=map_name,
        identity=branch_map,
        repeated_events=config.repeated_events or ("drop" if is_collisions else "refuse"),
        question={
            "label": sample.label,
            "title": sample.title or name,
            "branch_map": branch_map.model_dump(mode="json"),
            "cross_section_pb": sample.cross_section_pb,
            "sum_of_weights": sample.sum_of_weights,
            "pseudo_data": sample.pseudo_data,
        },
        features=features_of(branch_map),
        are_collisions=is_collisions,
        read=partial(_read, config, name, sample, branch_map, wanted),
        normalise=normalise,
    )


def _read(
    config: LabelledDataConfig,
    name: str,
    sample: SampleConfig,
    branch_map: FourLeptonMap,
    wanted: Wanted,
    path: Path,
) -> Iterator[Part]:
    if sample.label == "data" and not sample.pseudo_data:
        _refuse_simulation(path, name, branch_map)
    events, any_weight = 0, False
    for chunk in read_chunks(path, branch_map, wanted):
        arrays, cutflow, mask, passed = select(chunk, config.selection)
        content = content_of(chunk.identity, (chunk.leptons,))
        read_events = ReadEvents(chunk.identity, content, chunk.weight, passed)
        entries = events + np.flatnonzero(mask)
        yield Part(arrays, read_events, cutflow, entries, chunk.expectation)
        events += len(chunk)
        any_weight |= bool(np.any(chunk.weight))
    if events and not any_weight:
        raise InputError(
            f"{path}: the weights of all {events} events are zero, as they are in real data: is "
            f"it that? Sample {name} has the label '{sample.label}', that of real data is 'data'"
        )


def _refuse_simulation(path: Path, name: str, branch_map: FourLeptonMap) -> None:
    """Refuse a file of collisions whose weights are those of simulated events."""
    found = first_of_simulation(path, branch_map)
    if found is not None:
        branch, value = found
        raise InputError(
            f"{path}: branch '{branch}' is {value:g}, as in simulation, and sample {name} has the "
            f"label of collisions, data: give it another, or say "
            f"data.samples.{name}.pseudo_data=true to let each of its events count as one of data"
        )
