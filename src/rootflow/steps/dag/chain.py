"""main, preprocess and train as DAGs: reads of files, a training for each fold, and the rest."""

import json
import os
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from typing import Literal

import yaml

from rootflow.analysis import analysis_named
from rootflow.batch import Job, contract, dag, function_job
from rootflow.batch.dag import Node
from rootflow.batch.job import RESULT
from rootflow.config import Config, load
from rootflow.config.batch import ProfileConfig, load_profile
from rootflow.config.block import Block
from rootflow.dataset.jobs import READ, arguments, remember, shares
from rootflow.dataset.kept import KeptParts
from rootflow.errors import RootflowError
from rootflow.files import alone_in, whole_file
from rootflow.steps import evaluate, preprocess, train
from rootflow.steps.dag import (
    FINISHED,
    describe,
    end,
    folder_of,
    hand_over,
    make_room,
    require_dagman,
    say_what_failed,
    wait,
    why_failed,
)
from rootflow.steps.dag.carrying import carried_call, search_path, threads
from rootflow.steps.dag.fold import FIT, TRAINING, bring_home
from rootflow.steps.result import StepResult, show
from rootflow.steps.simulate import input_files
from rootflow.tracking import Run
from rootflow.tracking.connection import (
    TRACKING_URI,
    connect,
    login,
    login_of_jobs,
    server_must_answer,
    tracking_uri,
)
from rootflow.tracking.run import begin_run
from rootflow.tracking.study import end_below, join_run

Step = Literal["main", "preprocess", "train"]
PLAN, CONFIG, PROFILE = "plan.json", "config.yaml", "profile.json"
# The folder of what was read, and the file that says where the dataset is.
PARTS, DATASET = "parts", "dataset.txt"
# How the names of nodes begin that there may be several of.
READS, FOLD = "read-", "fold-"
GIB = 2**30


class Plan(Block):
    """What the nodes have to know: the runs of the step and of the training of all folds."""

    step: Step
    run_id: str
    training_run_id: str
    begun: float


def submit(step: Step, config: Config, profile: ProfileConfig, gib_per_job: float) -> StepResult:
    """Hand the nodes of a step over to DAGMan; where one had failed, go on from there.

    The run is what the step's would be here; each job that reads files reads so much of them. With
    `wait` in the profile, return when it has ended; what has failed is a RootflowError then.
    """
    require_dagman(profile)
    if step == "main":
        evaluate.check(config, config.model.name)
    folder = _folder(step, config, profile)
    with alone_in(folder):
        goes_on = make_room(folder, profile)
        nodes, last = _nodes(step, config, profile, gib_per_job, folder)
        plan = _old_plan(folder) if goes_on else _new_plan(step, config, folder)
        with whole_file(folder / PROFILE, private=True) as written:
            written.write_text(profile.model_dump_json(indent=1))
        run = join_run(config, plan.run_id)
        try:
            job = hand_over(nodes, last, folder, profile)
        except RootflowError as error:
            run.set_tags({"rootflow.error": str(error)})
            end_below(run, plan.run_id, _now())
            run.end("FAILED")
            raise
    run.set_tags({"htcondor.job": job, "htcondor.folder": str(folder)})
    if profile.wait:
        wait(step, nodes, folder, profile)
    return StepResult(step, plan.run_id, {"job": job, "folder": str(folder), "nodes": len(nodes)})


def dry_run(step: Step, config: Config, profile: ProfileConfig, gib_per_job: float) -> str:
    """Return what `submit` would hand over: each file below its name."""
    require_dagman(profile)
    make = partial(_nodes, step, config, profile, gib_per_job)
    return describe(make, _folder(step, config, profile), profile)


def run_node(folder: Path, name: str) -> None:
    """Do what a node of the DAG in a folder is for, or say of its runs how it has ended."""
    config, profile = load(folder / CONFIG), load_profile(folder / PROFILE)
    plan = Plan.model_validate_json((folder / PLAN).read_text())
    run, training = (join_run(config, each) for each in (plan.run_id, plan.training_run_id))
    if name == dag.END:
        end(folder, partial(_end_runs, config, plan, run, folder))
    elif name == "preprocess":
        _preprocess(plan.step, config, profile, run, folder)
    elif name.startswith(FOLD):
        train.run_fold(training, config, int(name.removeprefix(FOLD)))
    elif name == "train":
        _train(plan, config, profile, run, training, folder)
    elif name == "evaluate":
        result = evaluate.run(config, run)
        run.log_metrics(result.metrics)
        show(result)
    else:
        # Here, and not above: TensorFlow takes seconds.
        from rootflow.steps import export

        show(export.run(config, run))


def _preprocess(step: Step, config: Config, profile: ProfileConfig, run: Run, folder: Path) -> None:
    """Make the dataset of what the jobs before have read, and read what they have not."""
    say_what_failed(folder, READS)
    told = (contract.read(path) for path in sorted(folder.glob(f"{READS}*/{RESULT}")))
    remember(map(json.loads, filter(None, told)), preprocess.directory_of_all(config))
    kept = _kept(config, folder) if (folder / PARTS).exists() else None
    if step == "main":
        show(preprocess.run(config, run, kept))
        evaluate.check_dataset(config, run)
    elif step == "preprocess":
        show(preprocess.run_in(run, config, kept))
    else:
        preprocess.made(config, run, kept)
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    if _is_carried(profile):
        (folder / DATASET).write_text(str(preprocess.directory_of(config, None).resolve()))
        for node in _folds(config, folder, profile):
            dag.rewrite(node, folder, profile)


def _train(
    plan: Plan, config: Config, profile: ProfileConfig, run: Run, training: Run, folder: Path
) -> None:
    """Tell of all folds as the step does; those that were carried have no runs yet."""
    carried = _is_carried(profile)
    if carried:
        directories = train.directories_of(config, preprocess.made(config, training))
        for name, directory in zip(_names_of_folds(config), directories, strict=True):
            bring_home(folder / name, directory)
    show(train.run_in(training, config, by_jobs=not carried))
    if plan.step == "main":
        training.log_metrics({"wall_seconds": time.time() - plan.begun})
        training.end(FINISHED)
        train.ensure(config, run)  # what the nodes after it find again is this run's, too


def _is_carried(profile: ProfileConfig) -> bool:
    return profile.files != "shared"


def _end_runs(config: Config, plan: Plan, run: Run, folder: Path, ending: str) -> None:
    if ending != FINISHED:
        run.set_tags(
            {
                "rootflow.error": why_failed(folder, list(_waits(plan.step, config, carried=True)))[
                    :5000
                ]
            }
        )
        training = plan.training_run_id
        with server_must_answer():
            if run.client.get_run(training).info.status != FINISHED:
                end_below(run, training, _now())
                run.client.set_terminated(training, ending, _now())
            end_below(run, run.run_id, _now())
    run.log_metrics({"wall_seconds": time.time() - plan.begun})
    run.end(ending)


def _nodes(
    step: Step, config: Config, profile: ProfileConfig, gib_per_job: float, folder: Path
) -> tuple[list[Node], Job]:
    """Return all nodes of a step, and what is done at the end."""
    carried = _is_carried(profile)
    reads = [] if carried else _reads(config, folder, gib_per_job)
    first = tuple(node.job.name for node in reads)
    folds = {node.job.name: node for node in _folds(config, folder, profile)} if carried else {}
    others = [
        folds.get(name) or Node(_job(name, folder, profile), after or first, here=carried)
        for name, after in _waits(step, config, carried=carried).items()
    ]
    return reads + others, _job(dag.END, folder, profile)


def _waits(step: Step, config: Config, *, carried: bool) -> dict[str, tuple[str, ...]]:
    """Return the nodes that may not fail by name, with those of them that each waits for."""
    waits: dict[str, tuple[str, ...]] = {"preprocess": ()}
    if step != "preprocess":
        every = _names_of_folds(config)
        folds = every if carried or len(every) > 1 else []
        waits |= dict.fromkeys(folds, ("preprocess",))
        waits["train"] = tuple(folds) or ("preprocess",)
    if step == "main":
        waits |= {"evaluate": ("train",), "export": ("evaluate",)}
    return waits


def _names_of_folds(config: Config) -> list[str]:
    return [f"{FOLD}{each.held_out}" for each in config.data.folds.in_turn()]


def _folds(config: Config, folder: Path, profile: ProfileConfig) -> list[Node]:
    """Return the nodes that train and do not see the files of this machine.

    Before the dataset is made nobody knows its name: they are written again then.
    """
    made = Path(contract.read(folder / DATASET))
    inputs = [folder / CONFIG, *([made] if made.name else [])]
    nodes = []
    for each in config.data.folds.in_turn():
        given = {"config": CONFIG, "dataset": made.name, "held_out": each.held_out}
        job = carried_call(
            *(f"{FOLD}{each.held_out}", FIT, given, folder, profile),
            inputs=inputs,
            outputs=(TRAINING,),
        )
        nodes.append(Node(job, ("preprocess",)))
    return nodes


def _reads(config: Config, folder: Path, gib_per_job: float) -> list[Node]:
    """Return the nodes that read the files: none where one is enough, or nothing is to be read."""
    named = analysis_named(config.analysis).sample_files(config)
    if not all(files for _, files in named.values()) or preprocess.is_known_to_be_made(config):
        return []
    files, kept = input_files(config, None), _kept(config, folder)
    every = shares(config.data, files, preprocess.reading_of(config), gib_per_job * GIB)
    if len(every) < 2:
        return []
    kept.directory.mkdir(exist_ok=True)
    nodes = []
    for number, parts in enumerate(every):
        given = arguments(parts, folder / CONFIG, files, kept)
        name = f"{READS}{number:04d}"
        nodes.append(Node(function_job(name, READ, given, folder / name), may_fail=True))
    return nodes


def _kept(config: Config, folder: Path) -> KeptParts:
    return KeptParts(folder / PARTS, config.data, preprocess.reading_of(config))


def _job(name: str, folder: Path, profile: ProfileConfig) -> Job:
    shared = not _is_carried(profile)
    uri = tracking_uri()
    environment = {
        "PYTHONPATH": os.pathsep.join(map(str, search_path())),
        **(login_of_jobs(profile, uri) if shared else {TRACKING_URI: uri, **login()}),
        **threads(profile),
        **profile.job.environment,
    }
    words = ("-m", "rootflow", "node", str(folder), name, "--from", str(Path.cwd()))
    resources = profile.job.model_copy(update={"environment": environment})
    python = (shared and profile.python) or sys.executable
    return Job(name, (python, *words), folder / name, resources=resources)


def _folder(step: Step, config: Config, profile: ProfileConfig) -> Path:
    return folder_of(step, config.model_dump(mode="json"), profile)


def _now() -> int:
    return int(time.time() * 1000)


def _old_plan(folder: Path) -> Plan:
    """Return the plan of a DAG that goes on, with its runs open again."""
    plan = Plan.model_validate_json((folder / PLAN).read_text())
    client = connect()
    with server_must_answer():
        for run_id in (plan.run_id, plan.training_run_id):
            if client.get_run(run_id).info.status != FINISHED:
                client.update_run(run_id, status="RUNNING")
                client.set_tag(run_id, "rootflow.error", "")
    return plan


def _new_plan(step: Step, config: Config, folder: Path) -> Plan:
    run = begin_run(config, step)
    training = begin_run(config, "train", run) if step == "main" else run
    ids = {"run_id": run.run_id, "training_run_id": training.run_id}
    plan = Plan(step=step, **ids, begun=time.time())
    with whole_file(folder / CONFIG, private=True) as partial_config:
        partial_config.write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
    with whole_file(folder / PLAN) as partial_plan:
        partial_plan.write_text(plan.model_dump_json(indent=1))
    return plan
