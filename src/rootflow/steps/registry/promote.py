"""A candidate becomes the champion, or is refused and told why; the champion before returns."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rootflow.analysis import analysis_named
from rootflow.config import Config
from rootflow.dataset import Dataset
from rootflow.errors import ConformanceError, RootflowError, UsageError
from rootflow.evaluation.paired import Contest
from rootflow.steps import preprocess
from rootflow.steps.registry.checks import Entrant, entrant, origin_faults
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
from rootflow.tracking.registry import (
    Version,
    champions_of,
    describe,
    remember_champions,
    remove_tags,
    version_of,
    version_with,
)


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
        shared = (config, dataset.simulation_digest, Path(folder))
        ours = entrant(CANDIDATE, candidate, *shared)
        theirs = None if champion is None else entrant(CHAMPION, champion, *shared)
        reasons = [*ours.faults, *origin_faults(ours, analysis_named(config.analysis).task)]
        if theirs is not None:
            reasons += [f"champion {theirs.version.uri}: {fault}" for fault in theirs.faults]
        contest = None
        if not ours.faults and (theirs is None or not theirs.faults):
            contest, fallen_short = _compete(config, dataset, ours, theirs)
            reasons += fallen_short
    return Decision(
        candidate, champion, tuple(reasons), contest, dataset.digest, config.promotion, run_id
    )


def _compete(
    config: Config, dataset: Dataset, ours: Entrant, theirs: Entrant | None
) -> tuple[Contest | None, list[str]]:
    """Return what a contest of both found, and what the candidate fell short of."""
    steps = analysis_named(config.analysis).steps
    if theirs is not None:
        fault = steps.other_events(ours.model, theirs.model)
        if fault is not None:
            return None, [f"champion {theirs.version.uri}: fold: {fault}"]
    try:
        contest: Contest = steps.compete(
            config, dataset, ours.model, theirs.model if theirs is not None else None
        )
    except ConformanceError as error:
        return None, [f"answers: {error}"]
    champion = theirs.version if theirs is not None else None
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
