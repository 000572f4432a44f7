"""From ONNX files to what is applied."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from rootflow.errors import UsageError
from rootflow.exported import FoldedModel
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
        There is no such branch map, it does not name what the selection needs, or with it
        something else decides the folds.
    """
    model = FoldedModel(*setting.models, other_code=setting.other_code)
    if setting.branch_map is None:
        return _application(model, setting, model.contract.branch_map)
    application = _application(model, setting, setting.branch_map)
    if setting.seen_events != "score":
        own = _application(model, setting, model.contract.branch_map)
        _refuse_other_folds(setting.branch_map, application, own)
    return application


def _application(
    model: FoldedModel, setting: Setting, branch_map: str | dict[str, Any]
) -> Application:
    contract = model.contract
    with named_map(branch_map) as name:
        if contract.task == "classification":
            return ClassifierApplication(model, setting, contract, name)
        return ReconstructionApplication(model, setting, contract, name)


def _refuse_other_folds(name: str, application: Application, own: Application) -> None:
    if application.has_fold_numbers != own.has_fold_numbers:
        what = "names a fold_number" if own.has_fold_numbers else "names no fold_number"
        raise UsageError(
            f"branch map {name}: that of the model's training {what}, this one differs, so that "
            f"events would be in other folds: say there what decides them; or --seen-events score, "
            f"for collisions and others that were not in the training"
        )


@contextmanager
def named_map(branch_map: str | dict[str, Any]) -> Iterator[str]:
    """Yield the name of a map, or the path of a file with what it says."""
    if isinstance(branch_map, str):
        yield branch_map
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "branch_map_of_the_model.yaml")
        path.write_text(yaml.safe_dump(branch_map))
        yield str(path)
