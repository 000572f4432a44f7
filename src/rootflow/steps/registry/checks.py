"""What a registered model must fulfil before its quality is looked at."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from rootflow.analysis import analysis_named
from rootflow.config import Config
from rootflow.errors import InputError, UsageError
from rootflow.tracking import Version, fetch_onnx_model, logged_run
from rootflow.tracking.registry import SHA256

TREE, CLEAN = "rootflow.tree", "clean"


class Entrant(NamedTuple):
    """A registered model, and what speaks against comparing it.

    Attributes
    ----------
    model
        What its file is opened as; None where it cannot be.
    faults
        Each begins with the kind of the check.
    """

    version: Version
    model: Any
    faults: tuple[str, ...]


def rules_of(config: Config) -> ModuleType:
    """Return the module that knows how models of the analysis are opened and compared."""
    rules: ModuleType = analysis_named(config.analysis).promotion
    return rules


def entrant(name: str, version: Version, config: Config, simulation: str, folder: Path) -> Entrant:
    """Fetch and open a model, and see whether it may be applied to the held-out events.

    Parameters
    ----------
    name
        What it is called in the contest.
    version
        Which.
    config
        Its folds say which events are held out.
    simulation
        Digest of the simulated events of the configuration's dataset.
    folder
        Where its file goes.
    """
    rules = rules_of(config)
    try:
        path, _ = fetch_onnx_model(version.uri, folder / name)
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        model = rules.open_model(name, path)
    except (InputError, UsageError) as error:
        reason = str(error).replace(f"{folder}/", "")
        return Entrant(version, None, (f"file: {reason}",))
    faults = []
    if content != version.tags.get(SHA256):
        faults.append("file: not the one that was registered, its SHA-256 is another")
    if (fault := rules.fold_fault(config, model)) is not None:
        faults.append(f"fold: {fault}")
    found = model.contract.provenance.get("simulation", "unknown")
    if found != simulation:
        faults.append(f"simulation: it learnt from {found}, the configuration's is {simulation}")
    return Entrant(version, model, tuple(faults))


def origin_faults(candidate: Entrant, tolerances: Mapping[str, float]) -> list[str]:
    """Return what is wrong with how a model was trained and exported.

    Parameters
    ----------
    candidate
        The model.
    tolerances
        Of the export run's metrics of parity.
    """
    try:
        run = logged_run(candidate.version.run_id)
    except UsageError as error:
        return [f"parity: {error}, so that nothing proves it", f"tree: {error}"]
    faults = []
    for metric, tolerance in tolerances.items():
        if metric not in run.metrics:
            faults.append(f"parity: run {run.run_id} has no {metric}: export the model again")
        elif not run.metrics[metric] <= tolerance:
            faults.append(f"parity: {metric} is {run.metrics[metric]:.3g}, above {tolerance:g}")
    trees = {"exported": run.tags.get(TREE, "unknown")}
    if candidate.model is not None:
        provenance = candidate.model.contract.provenance
        trees["trained"] = provenance.get("training_git_tree", "unknown")
    faults += [
        f"tree: it was {_in_words(tree)} when the model was {what}"
        for what, tree in trees.items()
        if tree != CLEAN
    ]
    return faults


def _in_words(tree: str) -> str:
    return "dirty" if tree == "dirty" else f"not known to be clean ({tree})"
