"""Pieces of ntuples, each scored once and kept until the output is written."""

import io
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rootflow.checksum import read_sealed, seal_archive
from rootflow.files import whole_file
from rootflow.inference.application import Application, Columns
from rootflow.ntuple import OpenTree, open_tree

# Of all branches as they are in memory, or of entries: what comes first.
PIECE_BYTES = 32 * 2**20
ENTRIES_AT_MOST = 12_000
# Fewer would make a slow file of many small baskets.
ENTRIES_AT_LEAST = 1_000


class Piece(NamedTuple):
    """Entries of one ntuple from start to before stop, and where their new branches are kept."""

    path: Path
    start: int
    stop: int
    kept_in: Path

    def columns(self) -> Columns:
        """Return the new branches, once they are there."""
        again = f"remove {self.kept_in.parent} and apply again"
        with np.load(io.BytesIO(read_sealed(self.kept_in, again)), allow_pickle=False) as kept:
            return dict(kept)

    @property
    def is_done(self) -> bool:
        """Whether the new branches are there, whole."""
        return zipfile.is_zipfile(self.kept_in)


def ranges_of(tree: OpenTree) -> list[tuple[int, int]]:
    """Return the entries of a tree in ranges from start to before stop that fit into memory."""
    fit = int(PIECE_BYTES / max(tree.bytes_per_entry(), 1))
    return tree.ranges(min(max(fit, ENTRIES_AT_LEAST), ENTRIES_AT_MOST))


class Scoring(ExitStack):
    """An application at work: the ntuple of the last piece stays open for the next."""

    def __init__(self, application: Application) -> None:
        super().__init__()
        self._application = application
        self._tree: OpenTree | None = None

    def score(self, piece: Piece) -> None:
        """Keep the new branches of a piece where it says; raises as `Application.columns`."""
        if self._tree is None or self._tree.path != piece.path:
            self.close()
            self._tree = self.enter_context(open_tree(piece.path, self._application.tree))
        columns = self._application.columns(self._tree, piece.start, piece.stop)
        with whole_file(piece.kept_in) as partial:
            np.savez(partial, **columns)  # type: ignore[arg-type]
            seal_archive(partial)
