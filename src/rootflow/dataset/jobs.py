"""Reading as jobs: each takes some parts of the files, by their bytes, wherever it runs."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rootflow.analysis import analysis_named
from rootflow.config import load
from rootflow.config.data import DataConfig
from rootflow.dataset.digest import Contents
from rootflow.dataset.kept import KeptParts, write_chunks
from rootflow.dataset.looks import looked_at
from rootflow.dataset.parts import Part, PartReader
from rootflow.dataset.reading import Reading
from rootflow.dataset.samples import plans
from rootflow.dataset.writing import files_of
from rootflow.formats.table import Share
from rootflow.places import Place, Remote, place_of
from rootflow.places.access import name_and_status
from rootflow.workers import shares_of

READ = "rootflow.dataset.jobs:read"


def shares(
    config: DataConfig, files: Mapping[str, Sequence[Place]], reading: Reading, bytes_per_job: float
) -> list[list[Part]]:
    """Return the parts of the files that each of some jobs reads, of about so many bytes.

    Files whose URL has a query, which may be a secret, are left to who builds the dataset. Bad
    files are refused or left out as `build` does it.
    """
    found = looked_at(plans(config, files, reading), config.bad_files)
    sizes = [[name_and_status(path)[1].bytes for path in plan.files] for plan in found]
    given = [file for file in files_of(found, sizes) if not _has_query(file.path)]
    parts = [(part, file.bytes / part.share.of) for file in given for part in file.parts()]
    return shares_of([part for part, _ in parts], [size for _, size in parts], bytes_per_job)


def arguments(
    parts: Sequence[Part], config: Path, files: Mapping[str, Sequence[Place]], kept: KeptParts
) -> dict[str, Any]:
    """Return what `read` is given by its names, as plain data, to read these parts."""
    return {
        "config": str(config),
        "start": str(Path.cwd()),
        "samples": list(files),
        "parts": [
            [part.sample, part.file, _text(part.path), *part.share, kept.name(part)]
            for part in parts
        ],
        "directory": str(kept.directory),
    }


def read(
    config: str, start: str, samples: list[str], parts: list[Any], directory: str
) -> dict[str, Any]:
    """Read parts of files, keep them in a directory, and return what each of the files holds.

    It is what a job does: `arguments` has the configuration's file and the rest.
    """
    os.chdir(start)
    settings = load(Path(config))
    reading = analysis_named(settings.analysis).reading.of(settings.data)
    setting = plans(settings.data, dict.fromkeys(samples, ()), reading)
    contents = Contents()
    several = bool(settings.data.samples)
    with PartReader(setting, settings.data.folds.folding, several) as reader:
        for sample, file, text, place, count, name in parts:
            path = place_of(text, "files")
            part = Part(sample, file, path, Share(place, count))
            target = Path(directory, name)
            if not target.exists():
                write_chunks(reader.read(part), target)
            if place == 0:
                contents.of(path)
    return contents.known()


def remember(told: Iterable[Mapping[str, Any]], directory: Path) -> None:
    """Have a directory of datasets remember what jobs have told of files."""
    contents = Contents(directory)
    for each in told:
        contents.learn(each)
    contents.keep()


def _has_query(path: Place) -> bool:
    return isinstance(path, Remote) and bool(path.query)


def _text(path: Place) -> str:
    return path.url if isinstance(path, Remote) else str(path.absolute())
