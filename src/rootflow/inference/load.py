"""From ONNX files to what is applied."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from rootflow.exported import FoldedModel
from rootflow.exported.contract import ClassifierContract
from rootflow.inference.application import Application, Setting
from rootflow.inference.classification import ClassifierApplication
from rootflow.inference.reconstruction import ReconstructionApplication


def load_application(setting: Setting) -> Application:
    """Return the model of a setting, with all that it takes to apply it.

    Raises
    ------
    InputError
        A file is not one of `rootflow export`, or the files are not of one model.
    UsageError
        There is no such branch map, or it does not name what the selection needs.
    """
    model = FoldedModel(*setting.models, other_code=setting.other_code)
    contract = model.contract
    with _named(setting.branch_map or contract.branch_map) as branch_map:
        if isinstance(contract, ClassifierContract):
            return ClassifierApplication(model, setting, contract, branch_map)
        return ReconstructionApplication(model, setting, contract, branch_map)


@contextmanager
def _named(branch_map: str | dict[str, Any]) -> Iterator[str]:
    """Yield the name of a map, or the path of a file with what it says."""
    if isinstance(branch_map, str):
        yield branch_map
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "branch_map_of_the_model.yaml")
        path.write_text(yaml.safe_dump(branch_map))
        yield str(path)
