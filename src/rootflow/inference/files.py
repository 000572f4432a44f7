"""Applying a model to files of events: their entries again, with new branches beside."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rootflow.errors import InputError, UsageError
from rootflow.files import alone_in
from rootflow.formats import Table
from rootflow.formats.lineage import FRIEND_OF, NOTE, SOURCES, identity_of, read_applied, sources_of
from rootflow.formats.writing import table_writer
from rootflow.inference.application import Application, Setting, load_application
from rootflow.inference.pieces import Piece, Scoring, Shared, shared_out
from rootflow.inference.plan import Copying, OutputFile, plan
from rootflow.places import Place
from rootflow.places.writing import exists, put
from rootflow.progress import Advance, progress

# What contracts say of where the model came from, beside their provenance.
ORIGIN = {"dataset", "git_commit", "run_id", "model_version"}
COUNTS = ("entries", "selected", "scored", "written")


class Applied(NamedTuple):
    """What was written, with how many entries, and the new branches.

    Those entries that are such as the model was trained on are selected, and those of them that it
    was applied to are scored. The MLflow run that it comes from is empty where it
    does not say, and `other_code` is as `rootflow.exported.FoldedModel` has it.
    """

    outputs: tuple[Place, ...]
    entries: int
    selected: int
    scored: int
    written: int
    branches: tuple[str, ...]
    run_id: str
    other_code: str | None


def apply_to_files(
    setting: Setting,
    paths: Sequence[Place],
    output: Place,
    *,
    origin: Mapping[str, Any],
    copying: Copying | None = None,
    workers: int = 1,
) -> Applied:
    """Write the entries of files again, in their order, with the new branches of a model.

    Each event is given to the model that has not seen it. While the work goes on, finished
    pieces are kept in a hidden folder beside the output, named by what was asked: when it is
    asked again after a kill, they are not done again. An output that answers the question
    already stays as it is.

    The output is a file, where the name ends in .root or .parquet, for which all files must have
    the same branches; else a folder, in which there will be a file for each. Each is there whole or
    not at all; an earlier output of the same name is replaced.

    `origin` are plain data that are noted of the model in the output, with its contract's
    provenance; `sha256` must tell the model from others. There are at most so many workers.

    Raises
    ------
    InputError
        A file cannot be read, has other branches than the first or what is no event; a file
        of the model is not one of `rootflow export`; or the model was trained on some of the
        events. Then no unfinished work is kept.
    UsageError
        An output is one of the inputs, is named twice or is a file that was not written by
        this; a new branch is there already; or the branch map does not name what the
        selection needs.
    RootflowError
        A worker died. What is finished is kept.
    """
    application = load_application(setting)
    copying = copying or Copying()
    outputs, folder = _planned(application, setting, paths, output, origin, copying)
    note = _note(application, setting, origin)
    if not all(map(_answer, outputs)):
        with _kept(folder):
            # Only now: another process may have answered while this one waited for the folder.
            unanswered = [each for each in outputs if _answer(each) is None]
            pieces = [piece for each in unanswered for own in each.pieces.values() for piece in own]
            entries = sum(piece.stop - piece.start for piece in pieces)
            with (
                Scoring(application) as scoring,
                shared_out(pieces, scoring, setting, workers) as shared,
                progress("apply", entries, "events") as advance,
            ):
                for each in unanswered:
                    writing = _Writing(application, each, copying, shared, advance)
                    writing.write(folder / f"output{each.path.suffix}", note)
    answers = [_answer(each) or {} for each in outputs]
    counts = {name: sum(answer[name] for answer in answers) for name in COUNTS}
    return Applied(
        tuple(each.path for each in outputs),
        **counts,
        branches=application.branches,
        run_id=note.get("run_id", ""),
        other_code=application.model.other_code,
    )


def unanswered(
    setting: Setting,
    paths: Sequence[Place],
    output: Place,
    origin: Mapping[str, Any],
    copying: Copying,
) -> list[OutputFile]:
    """Return the outputs that `apply_to_files` would write; what it refuses is refused."""
    planned, _ = _planned(load_application(setting), setting, paths, output, origin, copying)
    return [each for each in planned if _answer(each) is None]


def _planned(
    application: Application,
    setting: Setting,
    paths: Sequence[Place],
    output: Place,
    origin: Mapping[str, Any],
    copying: Copying,
) -> tuple[list[OutputFile], Path]:
    outputs, folder = plan(application, setting, paths, output, copying, origin["sha256"])
    for each in outputs:
        if exists(each.path) and read_applied(each.path) is None:
            raise UsageError(
                f"{each.path}: is there and was not written by rootflow apply: name another "
                "output, or remove it"
            )
    return outputs, folder


def _answer(output: OutputFile) -> dict[str, Any] | None:
    """Return the note of an output that answers the question already."""
    note = read_applied(output.path)
    return note if note and note.get("question") == output.question else None


def _note(application: Application, setting: Setting, origin: Mapping[str, Any]) -> dict[str, Any]:
    contract = application.model.contract
    return {
        "analysis": contract.analysis,
        "model": contract.model,
        "folds": application.model.folding.model_dump(mode="json"),
        "models_of_folds": list(application.model.held_out),
        "seen_events": setting.seen_events,
        "rootflow_version": contract.rootflow_version,
        "branches": list(application.branches),
        **({"other_code": differs} if (differs := application.model.other_code) else {}),
        **application.reading,
        **contract.provenance,
        **contract.model_dump(include=ORIGIN, exclude_none=True),
        **origin,
    }


def _source(note: Mapping[str, Any]) -> str:
    """Return where the model was found."""
    found = note.get("uri") or note.get("file") or "a file"
    return found if isinstance(found, str) else ", ".join(found)


@contextmanager
def _kept(folder: Path) -> Iterator[None]:
    """Have a folder for the block, for good if it does not end for want of right input."""
    with alone_in(folder):
        try:
            yield
        except (InputError, UsageError):
            shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class _Writing:
    """An output as it is written, and how many entries it has so far."""

    application: Application
    output: OutputFile
    copying: Copying
    shared: Shared
    advance: Advance
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))

    def write(self, partial: Path, note: Mapping[str, Any]) -> None:
        """Write the output, with the note and what is its own, in a partial file first."""
        title = f"with {self.application.model.name} of {_source(note)}"
        number = sum(map(len, self.output.pieces.values()))
        branches = self.output.branches
        with table_writer(
            partial, self.output.file_format, branches.tree, title, branches.lists, number
        ) as writer:
            for path, pieces in self.output.pieces.items():
                with self.application.open(path) as tree:
                    for piece in pieces:
                        writer.extend(self._rows(tree, piece))
                        self.advance(piece.stop - piece.start)
            own = {"question": self.output.question, SOURCES: sources_of(self.output.pieces)}
            if self.copying.friend:
                (own[FRIEND_OF],) = map(identity_of, self.output.pieces)
            writer.note(NOTE, json.dumps({**note, **own, **self.counts}))
        put(partial, self.output.path)

    def _rows(self, tree: Table, piece: Piece) -> dict[str, Any]:
        """Return the columns of the entries of a piece, once it is finished, and count them."""
        self.shared.finish(piece)
        new = piece.columns()
        selected = new[self.application.selected_branch]
        rows = self.output.branches.read(tree, piece.start, piece.stop) | new
        if self.copying.selected_only:
            rows = {name: column[selected] for name, column in rows.items()}
        self.counts["entries"] += len(selected)
        self.counts["selected"] += int(selected.sum())
        self.counts["scored"] += int((new[self.application.fold_branch] >= 0).sum())
        self.counts["written"] += len(next(iter(rows.values())))
        return rows
