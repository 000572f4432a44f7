"""Scoring ROOT files with an exported model."""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rootflow.errors import InputError, UsageError
from rootflow.exported.contract import ReconstructionContract, read_contract
from rootflow.exported.session import open_file
from rootflow.scoring.files import score_files
from rootflow.scoring.onnx import OnnxScorer
from rootflow.steps.result import StepResult

REGISTERED = "models:"


def run(
    model: str,
    paths: Sequence[Path],
    output: Path,
    *,
    branch_map: str | None = None,
    name: str | None = None,
    dropped: Sequence[str] = (),
) -> StepResult:
    """Write what the files hold and the model's scores to a new file.

    Parameters
    ----------
    model
        A file of `rootflow export`, or models:/NAME/VERSION or models:/NAME@ALIAS.
    paths, output, branch_map, name, dropped
        As in `rootflow.scoring.files.score_files`.

    Raises
    ------
    UsageError
        There is no such model or it is no four-lepton classifier, the output is one of the
        inputs, or a new branch is there already.
    InputError
        A file cannot be read, or the model's is not one of `rootflow export`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, origin = _fetched(model, Path(folder))
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; a registered model is models:/NAME/1")
        origin["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        _refuse_reconstruction(path, model)
        scorer = OnnxScorer(path)
        applied = score_files(
            scorer,
            paths,
            output,
            origin=origin,
            branch_map=branch_map,
            name=name,
            dropped=dropped,
        )
    facts = {
        "output": str(output),
        "entries": applied.entries,
        "scored": applied.scored,
        "branches": list(applied.branches),
        "model": model,
        **origin,
    }
    return StepResult("apply", scorer.contract.provenance.get("run_id", ""), facts)


def _fetched(model: str, folder: Path) -> tuple[Path, dict[str, str]]:
    """Return the model's file and what it is called."""
    if not model.startswith(REGISTERED):
        return Path(model), {"file": str(Path(model).resolve())}
    # Here, and not above: MLflow takes seconds, and a file needs none.
    from rootflow.tracking import fetch_onnx_model

    fetched = fetch_onnx_model(model, folder)
    return fetched.path, {"uri": f"models:/{fetched.name}/{fetched.version}"}


def _refuse_reconstruction(path: Path, model: str) -> None:
    session = open_file(path)
    contract = read_contract(session.get_modelmeta().custom_metadata_map, model)
    if isinstance(contract, ReconstructionContract):
        raise UsageError(
            f"{model}: a model of the analysis {contract.analysis}; apply is for four-lepton "
            "classifiers"
        )
