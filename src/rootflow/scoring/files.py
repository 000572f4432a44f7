"""Scoring ROOT files: every branch and entry kept, with the scores beside them."""

import json
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from rootflow.config import FourLeptonSelectionConfig
from rootflow.dataset.folds import fold_of
from rootflow.dataset.four_leptons import chunks
from rootflow.errors import InputError, UsageError
from rootflow.files import whole_file
from rootflow.ntuple.copying import Branches, branches_of, tree_reader, tree_writer
from rootflow.ntuple.four_leptons import load_four_lepton_map
from rootflow.progress import progress
from rootflow.scoring.onnx import OnnxScorer

NOTE = "rootflow_apply"
NO_FOLD = -1
# Fewer at once would make a slow file of many small pieces.
ENTRIES_AT_LEAST = 1000


# The place of the first entry, that behind the last one, and the new branches between them.
Part = tuple[int, int, dict[str, NDArray[Any]]]


class Applied(NamedTuple):
    """What was written: entries, as many as were read, and how many of them have a score."""

    entries: int
    scored: int
    branches: tuple[str, ...]


def score_files(
    scorer: OnnxScorer,
    paths: Sequence[Path],
    output: Path,
    *,
    origin: Mapping[str, str],
    branch_map: str | None = None,
    name: str | None = None,
    dropped: Collection[str] = (),
) -> Applied:
    """Write the entries of ROOT files to a new one, in their order, with more branches.

    These are, with the name before them: `_score` (float32, NaN where the event is not
    selected), `_fold` (int16, the fold that the event is in, -1 where it is not selected)
    and `_selected` (bool). Each event is scored by a model that has not seen it.

    Parameters
    ----------
    scorer
        A file of `rootflow export`: its contract says how the ntuples are read and which
        events are selected.
    paths
        Files with the same branches.
    output
        Written whole or not at all; what is there is replaced.
    origin
        What is noted of the model in the output, with its contract's provenance.
    branch_map
        Another map than the model's, by name or path.
    name
        Of the new branches; none: the model's.
    dropped
        Branches that are not copied.

    Raises
    ------
    InputError
        A file cannot be read, has other branches than the first or what is no event.
    UsageError
        The output is one of the inputs, a new branch is there already, or the branch map
        does not name what the selection needs.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        raise UsageError("apply: a file is named twice: its events would be there twice")
    for path in paths:
        if output.exists() and path.exists() and output.samefile(path):
            raise UsageError(f"{output}: is read and cannot be written, too: name another output")
    prefix = re.sub(r"\W", "_", name or scorer.name)
    new = tuple(f"{prefix}_{ending}" for ending in ("score", "fold", "selected"))
    note = {
        "model": scorer.contract.model,
        "may_be_applied_to": scorer.contract.may_be_applied_to,
        "rootflow_version": scorer.contract.rootflow_version,
        "branches": list(new),
        **scorer.contract.provenance,
        **origin,
    }
    with tempfile.TemporaryDirectory() as folder:
        map_name = branch_map or _map_of(scorer, Path(folder))
        tree = load_four_lepton_map(map_name).tree
        found = {path: branches_of(path, tree, dropped) for path in paths}
        _refuse_different(found)
        _refuse_there_already(found, new)
        entries = sum(branches.entries for branches in found.values())
        first = next(iter(found.values()))
        scored = 0
        with (
            whole_file(output) as partial,
            tree_writer(partial, first.tree, _title(note), {NOTE: json.dumps(note)}) as writer,
            progress("apply", entries, "events") as advance,
        ):
            for path, branches in found.items():
                with tree_reader(path, branches) as reader:
                    for start, stop, added in _joined(_scored(scorer, path, map_name, new)):
                        writer.extend(reader.read(start, stop) | added)
                        scored += int(added[new[2]].sum())
                        advance(stop - start)
    return Applied(entries, scored, new)


def _scored(scorer: OnnxScorer, path: Path, branch_map: str, new: Sequence[str]) -> Iterator[Part]:
    """Yield the place of each chunk's first entry and of that behind it, and its new branches."""
    folds = scorer.contract.folds
    selection = FourLeptonSelectionConfig.model_validate(scorer.contract.selection)
    start = 0
    for events, selected in chunks(path, branch_map, selection, folds):
        stop = start + len(selected)
        score = np.full(len(selected), np.nan, np.float32)
        fold = np.full(len(selected), NO_FOLD, np.int16)
        score[selected] = scorer.score(events)
        fold[selected] = fold_of(events.event_number, folds)
        yield start, stop, dict(zip(new, (score, fold, selected), strict=True))
        start = stop


def _joined(parts: Iterator[Part]) -> Iterator[Part]:
    """Yield the same in parts of `ENTRIES_AT_LEAST`, the last one with what is left."""
    held: list[Part] = []
    for part in parts:
        held.append(part)
        if part[1] - held[0][0] >= ENTRIES_AT_LEAST:
            yield _as_one(held)
            held = []
    if held:
        yield _as_one(held)


def _as_one(parts: Sequence[Part]) -> Part:
    columns = [part[2] for part in parts]
    joined = {name: np.concatenate([each[name] for each in columns]) for name in columns[0]}
    return parts[0][0], parts[-1][1], joined


def _map_of(scorer: OnnxScorer, folder: Path) -> str:
    """Return the name of the model's branch map, or a file with what it says."""
    said = scorer.contract.branch_map
    if isinstance(said, str):
        return said
    path = folder / "branch_map_of_the_model.yaml"
    path.write_text(yaml.safe_dump(said))
    return str(path)


def _refuse_different(found: Mapping[Path, Branches]) -> None:
    first_path, first = next(iter(found.items()))
    for path, branches in found.items():
        if branches._replace(entries=first.entries) != first:
            names = sorted(set(branches.names()) ^ set(first.names()))
            what = f"not both have {', '.join(names)}" if names else "types or tree differ"
            raise InputError(f"{path}: other branches than in {first_path}: {what}")


def _refuse_there_already(found: Mapping[Path, Branches], new: Sequence[str]) -> None:
    for path, branches in found.items():
        there = sorted({*branches.names(), *branches.lists} & set(new))
        if there:
            raise UsageError(
                f"{path}: has a branch {there[0]} already: name the new ones with --name, or "
                f"leave it out with --drop {there[0]}"
            )


def _title(note: Mapping[str, Any]) -> str:
    return f"with scores of {note['model']} ({note.get('uri') or note.get('file')})"
