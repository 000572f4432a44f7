"""What a registered model must fulfil before its quality is looked at."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from rootflow.analysis import TaskName, analysis_named
from rootflow.config import Config
from rootflow.errors import InputError, UsageError
from rootflow.exported.contract import TOLERANCES
from rootflow.methods.exported import OnnxMethod
from rootflow.methods.model import refuse_other_task
from rootflow.tracking.artifacts import logged_run
from rootflow.tracking.registry import SHA256, Version, fetch_onnx_model

TREE, CLEAN = "rootflow.tree", "clean"


class Entrant(NamedTuple):
    """A registered model, opened where it can be; each fault begins with the kind of the check."""

    version: Version
    model: OnnxMethod | None
    faults: tuple[str, ...]


def entrant(name: str, version: Version, config: Config, simulation: str, folder: Path) -> Entrant:
    """Fetch and open a model, and see whether it may be applied to the held-out events.

    `name` is what it is called in the contest, `simulation` the digest of the simulated events
    of the configuration's dataset; its file goes into the folder.
    """
    analysis = analysis_named(config.analysis)
    try:
        path, _ = fetch_onnx_model(version.uri, folder / name)
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        model = OnnxMethod(path, name=name, other_code="warn")  # the dataset tells
        refuse_other_task(model, analysis.task, path)
    except (InputError, UsageError) as error:
        reason = str(error).replace(f"{folder}/", "")
        return Entrant(version, None, (f"file: {reason}",))
    faults = []
    if content != version.tags.get(SHA256):
        faults.append("file: not the one that was registered, its SHA-256 is another")
    if (fault := analysis.steps.fold_fault(config, model)) is not None:
        faults.append(f"fold: {fault}")
    found = model.contract.provenance.get("simulation", "unknown")
    if found != simulation:
        faults.append(f"simulation: it learnt from {found}, the configuration's is {simulation}")
    return Entrant(version, model, tuple(faults))


def origin_faults(candidate: Entrant, task: TaskName) -> list[str]:
    """Return what is wrong with how a model was trained and exported."""
    try:
        run = logged_run(candidate.version.run_id)
    except UsageError as error:
        return [f"parity: {error}, so that nothing proves it", f"tree: {error}"]
    faults = []
    for kind, tolerance in TOLERANCES.items():
        if (kind == "score") != (task == "classification"):
            continue
        metric = f"parity_{kind}"
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
