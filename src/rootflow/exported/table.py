"""Which files a model has: one or several, or those that a folder's table names."""

from collections.abc import Sequence
from pathlib import Path

from rootflow.errors import InputError
from rootflow.exported.folds import TABLE, read_folds


def model_files(paths: Sequence[Path]) -> list[Path]:
    """Return the ONNX files of a model; those of a folder in the order of their folds.

    Parameters
    ----------
    paths
        A folder with `folds.json`, or ONNX files.

    Raises
    ------
    InputError
        There is no path, or several of which one is a folder; or the folder's table is not
        there, is broken, has not every fold, or names a file outside the folder.
    """
    if not paths:
        raise InputError(f"no model: name a folder with {TABLE}, or ONNX files")
    if len(paths) == 1 and paths[0].is_dir():
        return _files_of_folder(paths[0])
    for path in paths:
        if path.is_dir():
            raise InputError(f"{path}: a folder beside other models: name it alone")
    return list(paths)


def _files_of_folder(folder: Path) -> list[Path]:
    table = folder / TABLE
    names = read_folds(folder)
    if set(names) != {str(fold) for fold in range(len(names))}:
        raise InputError(
            f"{table}: has files of the folds {', '.join(names)}: not of each, from 0 on"
        )
    files = [folder / names[str(fold)] for fold in range(len(names))]
    for file in files:
        if not file.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{table}: names a file outside its folder, {file}")
    return files
