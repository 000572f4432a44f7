"""Dileptonic ttbar events: the one sample of an analysis without labels."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rootflow.config.data import DataConfig
from rootflow.dataset.manifest import Normalisation
from rootflow.dataset.plans import Part, Plan, ReadFile
from rootflow.dataset.weights import normalisation
from rootflow.ntuple import BranchMap, features_of, load_branch_map, read_chunks, select


def plans(config: DataConfig, files: Mapping[str, Sequence[Path]]) -> list[Plan]:
    """Return the plan of each sample.

    Raises
    ------
    UsageError
        There is no such branch map.
    """
    branch_map = load_branch_map(config.branch_map)

    def read(path: Path) -> Iterator[Part]:
        for chunk in read_chunks(path, branch_map):
            selected = select(chunk, config.selection, config.max_jets)
            yield Part(selected.arrays, selected.cutflow)

    def normalise(read_files: Sequence[ReadFile]) -> Normalisation | None:
        sums = (next(iter(file.cutflow.values()))[1] for file in read_files)
        return normalisation(config.weights, sum(sums))

    return [
        Plan(
            name=name,
            label=None,
            title=name,
            files=of_sample,
            branch_map=config.branch_map,
            question={"branch_map": _question(branch_map)},
            features=features_of(branch_map),
            read=read,
            normalise=normalise,
        )
        for name, of_sample in files.items()
    ]


def _question(branch_map: BranchMap) -> dict[str, Any]:
    """Return what the map says; what came to maps later is left out where it says nothing."""
    later = {"neutrinos"} if branch_map.neutrinos is None else set()
    return branch_map.model_dump(mode="json", exclude=later)
