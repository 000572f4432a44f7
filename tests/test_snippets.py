"""Every block of code in README.md and docs/ is tested as it is written there.

Python runs, the blocks of a page one after another, in a folder where the steps that they come
after have run. There are two datasets and three trainings, so that nothing rests on being alone.
YAML is loaded for what it is. Of commands all words are taken by the command line, and the
configuration is loaded with its settings; those in `RUN` run, too. What is not tested says so,
and why, where its reader sees it.
"""

import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import yaml
from mlflow import MlflowClient

from glossary import assert_known
from ntuples import read_branches, write_ntuple
from real_root import run_by_root
from rootflow.cli import cli
from rootflow.config import EvaluationConfig, FoldsConfig, load
from rootflow.config.batch import load_profile
from rootflow.config.command import configured
from rootflow.dataset import Events
from rootflow.evaluation.classification import write_scores
from rootflow.evaluation.classification.results import Scored
from rootflow.evaluation.reconstruction import evaluate, save
from rootflow.export.writing import Export
from rootflow.methods.make import make_method
from rootflow.ntuple import load_branch_map
from rootflow.steps.made import trainings_of
from small_flow import network_with_a_flow
from snippets import BLOCKS, PROJECT, Block
from toy_classes import COUNTS, toy_classes
from toy_events import toy_events
from toy_scores import samples_with_files

# Whole pages, or what is written in a language, that other tests take word by word.
ELSEWHERE = {
    ("docs/cplusplus.md", "cpp"): "tests/cplusplus/test_documented.py",
    ("docs/cplusplus.md", "yaml"): "tests/cplusplus/test_documented.py",
    ("docs/export.md", "cpp"): "tests/cplusplus/test_documented.py",
}
# On the page of C++: lines of a text of events, and what builds and starts a program.
OF_CPLUSPLUS = {"event", "jet", "lepton", "met", "cmake", "build/ttbar_transformer"}
# Commands that run: one of each step that is cheap; tests/steps run the others.
RUN = (
    "rootflow preprocess --config configs/ttbar.yaml",
    "rootflow train --config configs/ttbar.yaml",
    "rootflow submit train --profile condor/profiles/generic.json --dry-run",
)
SAMPLE = "data/ttbar/ttbar_s42_000.root"
# Of the analysis that a page is about; parts of a configuration are of ttbar on all others.
BASES = {"docs/evaluate-classifier.md": "h4l.yaml"}
TRAINING = {"training": {"epochs": 1, "max_steps": 2, "batch_size": 512}}
# Beside the shipped configurations: the same, but of seconds.
SMALL: dict[str, dict[str, Any]] = {
    "ttbar": {
        "model": {"architecture": "feed_forward", "name": "transformer", "width": 8, "depth": 1},
        **TRAINING,
    },
    "h4l": {
        "data": {"folds": {"count": 2}},
        "model": {"architecture": "feed_forward", "name": "deep_set", "width": 8, "depth": 1},
        "evaluation": {"replicas": 5, "importance_events": 100, "score_bins": 5},
        **TRAINING,
    },
}


def of(*languages: str) -> list[Any]:
    return [
        pytest.param(block, id=block.where)
        for block in BLOCKS
        if block.language in languages
        and block.is_tested
        and (block.page, block.language) not in ELSEWHERE
    ]


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    kinds = {block.where: block.language for block in BLOCKS}
    unknown = {where for where, kind in kinds.items() if kind not in HANDLED}
    assert unknown == set()
    assert {(block.page, block.language) for block in BLOCKS} >= set(ELSEWHERE)
    assert all((PROJECT / test).exists() for test in ELSEWHERE.values())


def test_what_is_not_tested_is_little() -> None:
    untested = {block.page for block in BLOCKS if not block.is_tested}
    assert untested == {"docs/batch.md", "docs/condor-backend.md"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Path]:
    """Return a folder as a clone is, whose configurations are small."""
    folder = tmp_path_factory.mktemp("snippets")
    for name in ("data", "condor", "src", "MLproject", "python_env.yaml", "benchmarks", "scripts"):
        (folder / name).symlink_to(PROJECT / name)
    (folder / "ntuples").symlink_to(PROJECT / "data" / "ttbar")
    shutil.copytree(PROJECT / "configs", folder / "configs")
    for name, changes in SMALL.items():
        shipped = folder / "configs" / f"shipped-{name}.yaml"
        (folder / "configs" / f"{name}.yaml").rename(shipped)
        changed = yaml.safe_dump({"base": shipped.name, **changes})
        (folder / "configs" / f"{name}.yaml").write_text(changed)
    best = folder / "outputs" / "studies" / "ttbar" / "best.yaml"  # of a study
    best.parent.mkdir(parents=True)
    best.write_text("base: ../../../configs/ttbar.yaml\n")
    shutil.copy(empty_store, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch, chdir(folder):
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        yield folder


@pytest.mark.parametrize("block", of("sh"))
def test_commands(block: Block, place: Path) -> None:
    for words in block.commands():
        if not (block.page == "docs/cplusplus.md" and words[0] in OF_CPLUSPLUS):
            COMMANDS[words[0] if "/" not in words[0] else "PATH"](words)
    assert Path.cwd() == place


def _rootflow(words: list[str]) -> None:
    """Take the words as the command line does, and load what is configured; run what is cheap."""
    command: click.Command = cli
    context = command.make_context("rootflow", words[1:])
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert found is not None
        command, context = found, found.make_context(name, rest, parent=context)
    given = context.params
    if "settings" in given:
        configured(given["path"], given["settings"], given["overrides"])
    if given.get("profile"):
        load_profile(given["profile"])
    if " ".join(words) in RUN:
        cli.main(words[1:], standalone_mode=False)


def _mlflow(words: list[str]) -> None:
    """Take what an entry point of the project makes of its parameters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what MLflow imports for agents
        from mlflow.cli import cli as mlflow_cli
    _, command, _ = mlflow_cli.resolve_command(click.Context(mlflow_cli), words[1:])
    assert command is not None
    given = command.make_context(words[1], words[2:]).params
    if words[1] != "run":
        return
    assert given["uri"] == "."
    entry = yaml.safe_load(Path("MLproject").read_text())["entry_points"][given["entry_point"]]
    known = entry["parameters"]
    asked = dict(each.split("=", 1) for each in given["param_list"])
    values = {key: each["default"] for key, each in known.items() if "default" in each} | asked
    assert values.keys() == known.keys()
    if given.get("backend_config"):
        load_profile(Path(given["backend_config"]))
    template = entry["command"].split("-m rootflow ")[1].split()
    _rootflow(["rootflow", *(word.format(**values) for word in template)])


def _make(words: list[str]) -> None:
    targets = (PROJECT / "Makefile").read_text().splitlines()
    assert any(line.startswith(f"{words[1]}:") for line in targets)


def _python(words: list[str]) -> None:
    source = Path(words[1]).read_text()
    assert all(word in source for word in words[2:] if word.startswith("--"))


def _path(words: list[str]) -> None:
    assert Path(words[0]).stat().st_mode & 0o100


def _activate(words: list[str]) -> None:
    assert words[1:] == [".venv/bin/activate"]
    assert ".venv" in (PROJECT / "scripts" / "setup.sh").read_text()


COMMANDS: Mapping[str, Callable[[list[str]], None]] = {
    "rootflow": _rootflow,
    "mlflow": _mlflow,
    "make": _make,
    "python": _python,
    "source": _activate,
    "PATH": _path,
}


@pytest.mark.parametrize("block", of("yaml"))
def test_yaml(block: Block, place: Path) -> None:
    said = yaml.safe_load(block.text)
    written = place / "configs" / "written.yaml"
    if {"event_number", "leptons", "collections"} & set(said):
        written.write_text(block.text)
        load_branch_map(str(written))
    else:
        # A study or a part of one configuration.
        base = f"base: {BASES.get(block.page, 'ttbar.yaml')}\n"
        written.write_text(block.text if "base" in said else base + block.text)
        load(written)


@pytest.fixture(scope="module")
def made(place: Path, exported: Export) -> Path:
    """Return the place after the steps that snippets in Python come after."""
    for words in (
        ["preprocess", "--config", "configs/ttbar.yaml", "data.selection.jet_pt_min_gev=30"],
        ["train", "--config", "configs/ttbar.yaml"],
        ["train", "--config", "configs/ttbar.yaml", "seed=43"],
        ["train", "--config", "configs/h4l.yaml", "evaluation.methods=[]"],
    ):
        cli.main(words, standalone_mode=False)
    (training,) = trainings_of(load(Path("configs/ttbar.yaml")))
    client = MlflowClient()
    client.create_registered_model("ttbar-keras")
    client.create_model_version("ttbar-keras", source=str(training))
    files = Path("outputs/exports/transformer-1a2b3c4d")
    files.mkdir(parents=True)
    shutil.copy(exported.named_path, files / "ttbar_transformer_applied_to_fold0of5.onnx")
    shutil.copy(exported.named_path, "model.onnx")
    events, samples = toy_classes(COUNTS), samples_with_files()
    for name in ("one", "other"):
        scores = np.random.default_rng(len(name)).random(len(events))
        write_scores(events, samples, [Scored(name, scores, scores)], Path(f"{name}.parquet"))
    methods = [make_method(name, 1) for name in ("m_lb", "truth")]
    save(
        evaluate(toy_events(200), methods, EvaluationConfig(replicas=5, drawn=["mtt"]), seed=1),
        Path("ttbar.json"),
    )
    return place


def given(page: str, events: Events, exported: Export) -> dict[str, Any]:
    """Return what a page says that its reader has."""
    some = events.take(events.fold == 0).take(slice(0, 20))
    match page:
        case "docs/apply.md":
            write_ntuple(Path("ttbar_1.root"), read_branches(PROJECT / SAMPLE, 500))
            applied = ("apply", "--model", "model.onnx", "--name=transformer", "--friend")
            files = ("--seen-events=score", "ttbar_1.root", "friends")
            cli.main([*applied, *files], standalone_mode=False)
            return {
                "folder": exported.named_path,
                "inputs": some.inputs(),
                "event_number": some.event_number,
            }
        case "docs/evaluate.md":
            shutil.copy("ttbar.json", "evaluation.json")
        case "docs/train.md":
            return {"network": network_with_a_flow(some, FoldsConfig(), seed=1), "events": some}
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({param.values[0].page for param in of("python")}))
def test_python(page: str, made: Path, real_events: Events, exported: Export) -> None:
    names: dict[str, Any] = given(page, real_events, exported)
    for param in of("python"):
        block = param.values[0]
        if block.page == page and "import ROOT" in block.text:
            run_by_root(block.text)
        elif block.page == page:
            code = compile("\n" * (block.line - 1) + block.text, PROJECT / page, "exec")
            exec(code, names)  # noqa: S102 - the snippets are ours
    assert Path.cwd() == made


@pytest.mark.slow
def test_what_the_steps_logged_is_in_the_glossary(made: Path) -> None:
    known = assert_known(f"sqlite:///{made / 'mlflow.db'}")
    assert {"training_assignment_accuracy", "best_epoch", "training_auc", "CLASS_events"} <= known


HANDLED = {"sh", "python", "yaml", "cpp", "text"}
