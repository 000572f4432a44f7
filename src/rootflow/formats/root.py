"""ROOT files: whole ones, the trees in them, and the friends of these."""

import fnmatch
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import uproot
from numpy.typing import NDArray

from rootflow.errors import InputError, RootflowError
from rootflow.formats.faults import NoTreeError, faults_of, require_file
from rootflow.formats.root_files import open_root
from rootflow.formats.table import Table
from rootflow.formats.trees import NTuple, Tree
from rootflow.places import Place, Remote
from rootflow.places.place import place_of

MAGIC = b"root"
RNTUPLE = "ROOT::RNTuple"
# Of what is there instead, in messages.
FEW = 5
FRIEND = b"TFriendElement"
TREES = ("TTree", "TNtuple", "TNtupleD", RNTUPLE)


@contextmanager
def open_file(path: Place, size: int, tree: str | None) -> Iterator[Table]:
    """Yield a tree of a ROOT file, of a TTree with its friends: the only one, where none is named.

    A file that is not whole, or has no such tree, is an InputError.
    """
    with ExitStack() as stack:
        with faults_of(path):
            file = stack.enter_context(whole(path, size))
            kind, name = _find_tree(file, path, tree)
            found = file[name]
            if kind != RNTUPLE:
                friends = _friends_of(path, file, found, stack)
        yield NTuple(path, found) if kind == RNTUPLE else Tree(path, found, *friends)


@contextmanager
def whole(path: Place, size: int) -> Iterator[Any]:
    """Yield a ROOT file of so many bytes as uproot opens it, which is whole."""
    with open_root(path) as file:
        if size < file.file.fEND:
            raise InputError(
                f"{path}: not a whole ROOT file; it may be truncated: {size} of its "
                f"{file.file.fEND} bytes are there"
            )
        if not file.fSeekKeys:
            raise InputError(
                f"{path}: what wrote it has not closed it: it was killed, or is still at it, and "
                f"the file does not say what is in it. ROOT may find the events that were saved, "
                f"not all: hadd recovered.root {path.name}"
            )
        yield file


def glance(path: Place, size: int, tree: str | None, branches: Collection[str]) -> bool:
    """Return whether a file has a TTree, without friends, in whose bytes these branches are named.

    This takes a tenth of the time that opening the tree does. It is False of all else, too, that
    has to be opened to tell; a file that `open_file` would refuse for more is an InputError.
    """
    with faults_of(path), whole(path, size) as file:
        kind, name = _find_tree(file, path, tree)
        if kind == RNTUPLE:
            return False
        chunk, _ = file.key(name).get_uncompressed_chunk_cursor()
        content = bytes(chunk.raw_data)
        named = (name.encode() for name in branches)
        # As ROOT writes text: its length, of short ones in a byte, and it.
        are_there = all(bytes([min(len(name), 255)]) + name in content for name in named)
        return are_there and FRIEND not in content


def _find_tree(file: Any, path: Place, tree: str | None) -> tuple[str, str]:
    """Return the class of a tree, and its name, which stands for the newest of its cycles."""
    classes = file.classnames(filter_classname=[*TREES], cycle=False)
    trees = sorted(classes)
    there = f"trees in it: {', '.join(trees)}" if trees else "there is no tree in it"
    if tree is None:
        if len(trees) != 1:
            raise InputError(
                f"{path}: the branch map names no tree, so the file needs exactly one; {there}"
            )
        (tree,) = trees
    if tree not in trees:
        has_objects = len(file.keys(recursive=False)) > 0
        raise NoTreeError(f"{path}: no tree '{tree}'; {there}", bool(trees), has_objects)
    return classes[tree], tree


class _Friends(NamedTuple):
    """The friends of a tree by the names that it has for them; why others are not read.

    The files are the other ones that they are in.
    """

    trees: dict[str, Any]
    not_read: list[str]
    files: list[Place]


def _friends_of(path: Place, file: Any, tree: Any, stack: ExitStack) -> _Friends:
    """Return the friends of a TTree that have the same entries, of files that the stack closes.

    They are in the same file, or in another, whose path is relative to it. Not read is one that
    cannot be found, has an index or another number of entries.
    """
    friends = _Friends({}, [], [])
    for element in tree.member("fFriends") or ():
        name, elsewhere = element.member("fName"), element.member("fTitle")
        try:
            in_file, its_file = path, file
            if elsewhere:
                in_file = _beside(path, elsewhere)
                size = require_file(in_file)
                with faults_of(in_file):
                    its_file = stack.enter_context(whole(in_file, size))
            _, its_name = _find_tree(its_file, in_file, str(element.member("fTreeName")))
            friend = its_file[its_name]
            _require_aligned(friend, tree, in_file)
        except RootflowError as error:
            friends.not_read.append(f"its friend '{name}' is not read: {error}")
        else:
            friends.trees[name] = friend
            if elsewhere:
                friends.files.append(in_file)
    return friends


def _beside(path: Place, other: str) -> Place:
    """Return the file that a tree of this one calls so."""
    if "://" in other:
        return place_of(other, str(path))
    if isinstance(path, Remote):
        return path.with_path(str(PurePosixPath(path.path).parent / other))
    return path.parent / other


def _require_aligned(friend: Any, tree: Any, path: Place) -> None:
    """Refuse a friend that may have other entries than the tree, or the same in another order."""
    has = None
    if not isinstance(friend, uproot.TTree):
        has = "is no TTree"
    elif friend.member("fTreeIndex") is not None:
        has = "has an index, so that its entries may be in another order"
    elif friend.num_entries != tree.num_entries:
        has = f"has {friend.num_entries} entries, not {tree.num_entries}"
    if has is not None:
        raise InputError(f"{path}: tree '{friend.name}' {has}")


def bins_of_histograms(path: Place, pattern: str, otherwise: str) -> dict[str, NDArray[np.float64]]:
    """Return the contents of all bins, and of those below and above, of histograms by their names.

    The pattern is a name or a glob; a file in which there is none of such a name is an InputError,
    which says what to do otherwise.
    """
    size = require_file(path)
    with faults_of(path), whole(path, size) as file:
        classes = file.classnames(filter_classname="TH1*", cycle=False)
        names = fnmatch.filter(classes, pattern)
        if not names:
            some = ", ".join([*list(classes)[:FEW], *["..."][: len(classes) > FEW]])
            there = f"histograms in it: {some}" if classes else "there is none in it"
            raise InputError(f"{path}: no histogram '{pattern}'; {there}: {otherwise}")
        return {name: np.asarray(file[name].values(flow=True), np.float64) for name in names}
