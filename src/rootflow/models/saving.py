"""Saving a network, and reading it again."""

from pathlib import Path

import keras

from rootflow.checksum import read_sealed, seal_archive
from rootflow.errors import InputError
from rootflow.files import whole_file
from rootflow.models.determinism import make_deterministic

TRAIN_AGAIN = "remove its folder and train again"


def save_model(model: keras.Model, path: Path) -> None:
    """Write a network as .keras with its checksum, whole or not at all."""
    with whole_file(path) as partial:
        model.save(partial)
        seal_archive(partial)


def load_model(path: Path) -> keras.Model:
    """Return a network of rootflow's saved as .keras, else raise InputError; runs no code of it."""
    if not path.is_file():
        raise InputError(f"{path}: there is no saved model")
    read_sealed(path, TRAIN_AGAIN)
    make_deterministic()
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a model that this rootflow can read: {reason}") from None
