"""A candidate becomes the champion, or is refused and told why; the champion before returns."""

import hashlib
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rootflow.analysis import TaskName, analysis_named
from rootflow.config import Config
from rootflow.dataset import Dataset
from rootflow.errors import ConformanceError, InputError, RootflowError, UsageError
from rootflow.evaluation.paired import Contest
from rootflow.exported.contract import TOLERANCES
from rootflow.methods.exported import OnnxMethod
from rootflow.methods.model import refuse_other_task
from rootflow.steps import preprocess
from rootflow.steps.registry.decision import (
    CANDIDATE,
    CHAMPION,
    DECISION,
    PREFIX,
    ROLLED_BACK,
    Decision,
    numbers_of,
    rows_of,
    shortfalls,
    tags_of,
    tags_of_run,
)
from rootflow.steps.result import StepResult
from rootflow.tracking import Run, start_run
from rootflow.tracking.artifacts import logged_run
from rootflow.tracking.registry import (
    SHA256,
    Version,
    champions_of,
    describe,
    fetch_onnx_model,
    remember_champions,
    remove_tags,
    version_of,
    version_with,
)

TREE, CLEAN = "rootflow.tree", "clean"


class Entrant(NamedTuple):
    """A registered model, opened where it can be; each fault begins with the kind of the check."""

    version: Version
    model: OnnxMethod | None
    faults: tuple[str, ...]


def run(config: Config, model: str = "", parent: Run | None = None) -> StepResult:
    """Decide on a registered model; the decision is in its tags, and the run's.

    Both are compared on the dataset and held-out fold of the configuration, by its `promotion`.
    `model` is models:/NAME/VERSION, models:/NAME@ALIAS, or VERSION or @ALIAS of the configured
    registered model; empty: @candidate. Where another promotion came first it is a RootflowError.
    """
    analysis_named(config.analysis).steps.check_promotion(config)
    candidate = version_of(_uri(config, model or f"@{CANDIDATE}"))
    champion = version_with(candidate.name, CHAMPION)
    if champion is not None and champion.version == candidate.version:
        raise UsageError(f"{candidate.uri} is the champion already")
    with start_run(config, "promote", parent) as run:
        dataset = preprocess.ensure(config, run)
        decision = _decide(config, dataset, candidate, champion, run.run_id)
        tags = tags_of(decision)
        run.set_tags({**tags_of_run(tags), "rootflow.candidate": candidate.uri})
        run.log_text(json.dumps(tags, indent=1), "promotion.json")
        if decision.contest is not None:
            run.log_metrics(numbers_of(decision.contest))
        _carry_out(decision, tags)
        return _result(decision, run)


def rollback(name: str) -> StepResult:
    """Give the alias champion of a registered model back to the version that had it before."""
    champion = version_with(name, CHAMPION)
    champions = champions_of(name)
    if champion is None:
        raise RootflowError(f"registry rollback: {name} has no champion")
    if champions[-1:] != [champion.version]:
        raise RootflowError(
            f"registry rollback: {champion.uri} was made the champion by hand: nothing says what "
            "was it before"
        )
    if len(champions) < 2:
        raise RootflowError(f"registry rollback: before {champion.uri} there was no champion")
    before = version_of(f"models:/{name}/{champions[-2]}")
    describe(before.uri, {}, alias=CHAMPION)
    remember_champions(name, champions[:-1])
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    describe(champion.uri, {DECISION: ROLLED_BACK, f"{PREFIX}rolled_back_at": at})
    return StepResult("rollback", "", {"champion": before.uri, "rolled_back": champion.uri})


def _uri(config: Config, model: str) -> str:
    if model.startswith("models:"):
        return model
    of_each_fold = analysis_named(config.analysis).task == "reconstruction"
    if len(config.data.folds.in_turn()) > 1 and of_each_fold:
        raise UsageError(
            f"registry promote: '{model}': with every fold held out there is a registered model "
            "for each: name one, as models:/NAME@candidate"
        )
    name = config.export.registered_model or config.analysis
    if model.startswith("@"):
        return f"models:/{name}{model}"
    if model.isdigit():
        return f"models:/{name}/{model}"
    raise UsageError(
        f"registry promote: '{model}' is not models:/NAME/VERSION, models:/NAME@ALIAS, a version "
        "or @ALIAS"
    )


def _decide(
    config: Config, dataset: Dataset, candidate: Version, champion: Version | None, run_id: str
) -> Decision:
    with tempfile.TemporaryDirectory() as folder:
        shared = (config, dataset.manifest.simulation_digest, Path(folder))
        ours = _entrant(CANDIDATE, candidate, *shared)
        theirs = None if champion is None else _entrant(CHAMPION, champion, *shared)
        reasons = [*ours.faults, *_origin_faults(ours, analysis_named(config.analysis).task)]
        if theirs is not None:
            reasons += [f"champion {theirs.version.uri}: {fault}" for fault in theirs.faults]
        contest = None
        if not ours.faults and (theirs is None or not theirs.faults):
            contest, fallen_short = _compete(config, dataset, ours, theirs)
            reasons += fallen_short
    digest = dataset.manifest.digest
    return Decision(candidate, champion, tuple(reasons), contest, digest, config.promotion, run_id)


def _compete(
    config: Config, dataset: Dataset, ours: Entrant, theirs: Entrant | None
) -> tuple[Contest | None, list[str]]:
    """Return what a contest of both found, and what the candidate fell short of."""
    steps = analysis_named(config.analysis).steps
    if theirs is not None:
        fault = steps.other_events(ours.model, theirs.model)
        if fault is not None:
            return None, [f"champion {theirs.version.uri}: fold: {fault}"]
    champion, model = (None, None) if theirs is None else (theirs.version, theirs.model)
    try:
        contest: Contest = steps.compete(config, dataset, ours.model, model)
    except ConformanceError as error:
        return None, [f"answers: {error}"]
    return contest, shortfalls(contest, champion, config.promotion)


def _carry_out(decision: Decision, tags: dict[str, str]) -> None:
    """Write the decision down, and move the alias where it says so."""
    candidate, before = decision.candidate, decision.champion
    remove_tags(candidate, [tag for tag in candidate.tags if tag.startswith(PREFIX)])
    if decision.reasons:
        describe(candidate.uri, tags)
        return
    now = version_with(candidate.name, CHAMPION)
    if (now.version if now else None) != (before.version if before else None):
        raise RootflowError(
            f"{candidate.uri} is not promoted: the champion became {now.uri if now else 'none'} "
            "meanwhile: promote again"
        )
    champions = champions_of(candidate.name)
    if before is not None and champions[-1:] != [before.version]:
        champions.append(before.version)  # it was made the champion by hand
    remember_champions(candidate.name, [*champions, candidate.version])
    describe(candidate.uri, tags, alias=CHAMPION)


def _result(decision: Decision, run: Run) -> StepResult:
    contest = decision.contest
    facts = {
        "decision": decision.word,
        "model": decision.candidate.uri,
        "champion": decision.champion.uri if decision.champion else None,
        "reasons": list(decision.reasons),
    }
    if contest is None:
        return StepResult("promote", run.run_id, facts)
    numbers = numbers_of(contest)
    row = {"metric": contest.metric, **numbers}
    return StepResult(
        "promote", run.run_id, facts, {"contest": [row], "bins": rows_of(contest)}, numbers
    )


def _entrant(name: str, version: Version, config: Config, simulation: str, folder: Path) -> Entrant:
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


def _origin_faults(candidate: Entrant, task: TaskName) -> list[str]:
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
