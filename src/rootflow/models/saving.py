"""Reading a saved network."""

from pathlib import Path

import keras

from rootflow.errors import InputError
from rootflow.files import fault_of_archive
from rootflow.models.determinism import make_deterministic


def load_model(path: Path) -> keras.Model:
    """Return a network saved as .keras; no code in the file is run.

    Raises
    ------
    InputError
        There is no such file, or it is not a network of rootflow's.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no saved model")
    if (fault := fault_of_archive(path)) is not None:
        raise InputError(f"{path}: not a model that this rootflow can read: {fault}")
    make_deterministic()
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a model that this rootflow can read: {reason}") from None
