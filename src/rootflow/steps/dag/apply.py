"""apply as a DAG: jobs write the outputs of some files each, or score pieces of one output."""

import json
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rootflow.batch import Job, dag, function_job
from rootflow.batch.contract import read
from rootflow.batch.dag import Node
from rootflow.batch.job import RESULT
from rootflow.config.batch import ProfileConfig
from rootflow.files import alone_in
from rootflow.inference import jobs
from rootflow.inference.application import Setting
from rootflow.inference.files import Applied
from rootflow.inference.jobs import SCORE, Asked, calls, pieces_of, scoring, writing
from rootflow.inference.pieces import Piece
from rootflow.inference.plan import Copying
from rootflow.steps import dag as shared
from rootflow.steps.apply import told
from rootflow.steps.dag.carrying import carried_call, links
from rootflow.steps.exported_files import find
from rootflow.steps.result import StepResult

APPLY, SHARE = "apply", "share-"
MODELS, PIECES = "models", "pieces"
GIB = 2**30
Words = Mapping[str, Any]


def submit(words: Words, profile: ProfileConfig, gib_per_job: float) -> StepResult:
    """Hand the nodes over to DAGMan; where one had failed, go on from there.

    The words are those of `rootflow.steps.apply.run`, and each job takes so much of the files. With
    `wait` in the profile, return when all is written; what has failed is a RootflowError then.
    """
    shared.require_dagman(profile)
    folder = _folder(words, profile)
    with alone_in(folder):
        shared.make_room(folder, profile)
        nodes, last = _nodes(words, profile, gib_per_job, folder)
        job = shared.hand_over(nodes, last, folder, profile)
    if not profile.wait:
        facts = {"job": job, "folder": str(folder), "nodes": len(nodes)}
        return StepResult(APPLY, "", facts)
    shared.wait(APPLY, nodes, folder, profile)
    said = json.loads(read(folder / APPLY / RESULT))
    return told(words["model"], words["output"], said["origin"], Applied(**said["applied"]))


def dry_run(words: Words, profile: ProfileConfig, gib_per_job: float) -> str:
    """Return what `submit` would hand over: each file below its name."""
    shared.require_dagman(profile)
    make = partial(_nodes, words, profile, gib_per_job)
    return shared.describe(make, _folder(words, profile), profile)


def write(folder: str, kept_in: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Write the outputs that jobs before have left, and return what is told of all of them.

    `kept_in` is where scores are looked for that jobs have brought home.
    """
    shared.say_what_failed(Path(folder), SHARE)
    for piece in sorted(Path(folder).glob(f"{SHARE}*/{PIECES}/*")):
        Path(kept_in).mkdir(parents=True, exist_ok=True)
        shutil.move(piece, Path(kept_in, piece.name))
    return {"applied": jobs.write(**asked), "origin": asked["origin"]}


def end(folder: str) -> None:
    """Say how the DAG in a folder has ended."""
    shared.end(Path(folder))


def _nodes(
    words: Words, profile: ProfileConfig, gib_per_job: float, folder: Path
) -> tuple[list[Node], Job]:
    named = [words["model"]] if isinstance(words["model"], str) else words["model"]
    files, origin = find(named, folder / MODELS, "apply --model")
    said = (words[name] for name in ("branch_map", "name", "seen_events", "other_code"))
    copied = (words[name] for name in ("kept", "dropped", "selected_only", "friend", "file_format"))
    setting, copying = Setting(tuple(files), *said), Copying(*copied)
    asked = Asked(setting, words["paths"], words["output"], origin, copying)
    carried = profile.files != "shared"
    shares: list[Node] = []
    kept_in = ""
    if carried:
        for pieces in pieces_of(asked, gib_per_job * GIB):
            kept_in = str(pieces[0].kept_in.parent.absolute())
            shares.append(Node(_carried(len(shares), pieces, setting, folder, profile), (), True))
    else:
        every = calls(asked, gib_per_job * GIB)
        for function, given in every if len(every) > 1 else []:
            name = f"{SHARE}{len(shares):04d}"
            shares.append(Node(function_job(name, function, given, folder / name), (), True))
    given = {
        "folder": str(folder),
        "kept_in": kept_in,
        "asked": writing(asked, asked.paths, profile.job.cpus),
    }
    last = function_job(APPLY, f"{__name__}:write", given, folder / APPLY)
    after = tuple(node.job.name for node in shares)
    ending = function_job(dag.END, f"{__name__}:end", {"folder": str(folder)}, folder / dag.END)
    return [*shares, Node(last, after, here=carried)], ending


def _carried(
    number: int, pieces: Sequence[Piece], setting: Setting, folder: Path, profile: ProfileConfig
) -> Job:
    """Return the job that scores pieces of files which it is brought, and brings the scores."""
    name = f"{SHARE}{number:04d}"
    files = [piece.path for piece in pieces if isinstance(piece.path, Path)]
    is_file = setting.branch_map is not None and Path(setting.branch_map).is_file()
    branch_map = [Path(str(setting.branch_map))] if is_file else []
    brought = links([*files, *setting.models, *branch_map], folder)
    there = {path: Path(link.name) for path, link in brought.items()}
    setting = setting._replace(models=tuple(there[path] for path in setting.models))
    if branch_map:
        setting = setting._replace(branch_map=str(there[branch_map[0]]))
    own = [
        piece._replace(
            path=there.get(piece.path, piece.path) if isinstance(piece.path, Path) else piece.path,
            kept_in=Path(PIECES, piece.kept_in.name),
        )
        for piece in pieces
    ]
    given = scoring(setting, own, Path())
    inputs = tuple(brought.values())
    return carried_call(name, SCORE, given, folder, profile, inputs=inputs, outputs=(PIECES,))


def _folder(words: Words, profile: ProfileConfig) -> Path:
    asked = {name: str(said) for name, said in words.items() if name not in ("paths", "workers")}
    return shared.folder_of(APPLY, [asked, list(map(str, words["paths"]))], profile)
