"""The h4l chain on the shipped sample and on collisions, through the command line."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from glossary import assert_known
from ntuples import read_tree
from rootflow.config import load
from rootflow.config.data import FourLeptonDataConfig
from rootflow.errors import InputError
from rootflow.steps import main

PROJECT = Path(__file__).parents[2]
FOLDS = 3
SAID_AGAIN = (
    r"preprocess: dataset \w{16} is found again, made 20\d\d-.*"
    rf"train: training \w{{16}} is found again \({FOLDS} of {FOLDS} folds\), made 20\d\d-"
)
SMALL = [
    "model.architecture=feed_forward",
    "model.width=16",
    "training.epochs=2",
    f"data.folds.count={FOLDS}",
    "evaluation.methods=[{architecture: boosted_trees, trees: 20}]",
    "evaluation.replicas=20",
    "evaluation.importance_events=500",
]


@pytest.fixture(scope="module")
def place(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a working directory with a store and the shipped sample."""
    directory = tmp_path_factory.mktemp("h4l")
    (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
    (directory / "data").symlink_to(PROJECT / "data")
    return directory


@pytest.fixture(scope="module")
def settings(collision_files: list[Path]) -> list[str]:
    """Return quick settings, with collisions beside the simulation."""
    files = ", ".join(map(str, collision_files))
    return [*SMALL, f"data.samples.data={{label: data, files: [{files}]}}"]


@pytest.fixture(scope="module")
def chain(place: Path, settings: list[str]) -> dict[str, Any]:
    """Return what main says of the chain."""
    return of_step(place, "main", settings)


def of_step(place: Path, step: str, settings: list[str], said: str = "") -> dict[str, Any]:
    config = str(PROJECT / "configs" / "h4l.yaml")
    return rootflow(place, step, "--config", config, "--json", *settings, said=said)


def rootflow(place: Path, *arguments: str, said: str = "") -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-m", "rootflow", *arguments], cwd=place, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    assert re.search(said, answer.stderr, re.DOTALL), answer.stderr
    result: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return result


def client(place: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{place / 'mlflow.db'}")


def children(place: Path, parent: str) -> list[Run]:
    store = client(place)
    experiment = store.get_experiment_by_name("h4l")
    assert experiment is not None
    return list(
        store.search_runs([experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{parent}'")
    )


def child(place: Path, parent: str, step: str) -> Run:
    [run] = [run for run in children(place, parent) if run.data.tags["rootflow.step"] == step]
    return run


def test_main_ends_with_auc_significance_and_yields_with_errors(chain: dict[str, Any]) -> None:
    models = ["feed_forward", "boosted_trees"]
    assert [row["model"] for row in chain["auc"]] == models
    assert [row["model"] for row in chain["best_cut"]] == models
    for row in chain["auc"]:
        assert 0.8 < row["auc"] < 1
        assert 0 < row["auc_error"] < 0.05
    for row in chain["best_cut"]:
        assert row["significance"] > row["significance_error"] > 0
    processes = {row["process"] for row in chain["yields"]}
    assert {"ggH", "VBFH", "ZZ", "data"} <= processes
    assert all(row["expected_error"] > 0 for row in chain["yields"] if row["process"] == "ZZ")


def test_every_metric_is_in_the_glossary(chain: dict[str, Any], place: Path) -> None:
    known = assert_known(client(place).tracking_uri)
    assert {"METRIC/METHOD", "CLASS_events", "trees_grown", "training_auc"} <= known
    assert chain["metrics"]


def test_each_fold_is_a_run_below_the_training(chain: dict[str, Any], place: Path) -> None:
    train = child(place, chain["run_id"], "train")
    folds = children(place, train.info.run_id)
    assert {run.data.tags["rootflow.fold"] for run in folds} == set(map(str, range(FOLDS)))
    losses = [run.data.metrics["best_validation_loss"] for run in folds]
    assert len(set(losses)) == FOLDS
    assert train.data.metrics["best_validation_loss_error_over_folds"] > 0
    below_evaluate = children(place, child(place, chain["run_id"], "evaluate").info.run_id)
    assert [run.data.params["model.name"] for run in below_evaluate] == ["boosted_trees"]


def test_evaluation_logs_metrics_figures_scores_and_the_report(
    chain: dict[str, Any], place: Path
) -> None:
    run = child(place, chain["run_id"], "evaluate")
    for model in ("feed_forward", "boosted_trees"):
        assert run.data.metrics[f"auc/{model}"] == chain["metrics"][f"auc/{model}"]
    artifacts = {each.path for each in client(place).list_artifacts(run.info.run_id)}
    assert {"figures", "images", "report.html", "evaluation.json", "scores.parquet"} <= artifacts


def test_exported_files_agree_with_keras_and_are_registered(
    chain: dict[str, Any], place: Path
) -> None:
    export = child(place, chain["run_id"], "export")
    assert export.data.metrics["parity_score"] <= 1e-6
    files = [*chain["onnx"], chain["onnx_all_folds"]]
    assert len(files) == FOLDS + 1
    for path in files:
        onnxruntime.InferenceSession(place / path)
    assert chain["registered_model"] == "models:/h4l/1"


def test_second_run_finds_everything_again_and_says_the_same(
    chain: dict[str, Any], place: Path, settings: list[str]
) -> None:
    again = of_step(place, "evaluate", settings, SAID_AGAIN)
    assert again["metrics"] == chain["metrics"]
    assert children(place, again["run_id"]) == []


def test_registered_model_scores_collisions_event_by_event(
    chain: dict[str, Any], place: Path, collision_files: list[Path]
) -> None:
    arguments = ["--model", chain["registered_model"], "--json"]
    told = rootflow(place, "apply", *arguments, *map(str, collision_files), "scored.root")
    assert told["entries"] == 832
    scored = read_tree(place / "scored.root", "mini")
    assert len(scored["eventNumber"]) == 832
    scores = np.asarray(scored["feed_forward_score"])
    selected = np.asarray(scored["feed_forward_selected"], dtype=bool)
    assert np.isnan(scores[~selected]).all()
    assert ((scores[selected] > 0) & (scores[selected] < 1)).all()
    [row] = [row for row in chain["yields"] if row["process"] == "data"]
    assert selected.sum() == told["scored"] == row["events"]


def test_the_model_beside_is_exported_by_its_name(
    chain: dict[str, Any], place: Path, settings: list[str]
) -> None:
    assert chain["registered_training"] == "models:/h4l-keras/1"
    config = str(PROJECT / "configs" / "h4l.yaml")
    named = ["--config", config, "--json", "--model", "boosted_trees"]
    made = rootflow(place, "export", *named, *settings)
    assert made["registered_model"] == "models:/h4l/2"
    assert made["registered_training"] == "models:/h4l-skops/1"
    folder = Path(client(place).get_model_version_download_uri("h4l-skops", "1"))
    folder = place / str(folder).removeprefix("file:")
    for fold in range(FOLDS):
        assert {path.name for path in (folder / f"fold{fold}").iterdir()} == {
            "model.skops",
            "training.json",
        }
    shown = rootflow(place, "registry", "show", "models:/h4l@candidate", "--json")
    assert shown["version"] == 2
    assert shown["model"] == "boosted_trees"
    assert shown["metric"] == "auc"
    auc, error = (chain["metrics"][f"auc{what}/boosted_trees"] for what in ("", "_error"))
    assert shown["value"] == auc
    assert f"| evaluation | auc | {auc:.4g} ± {error:.2g} |" in shown["card"]
    assert "one model for each, trained without it" in shown["card"]
    of_trees = {
        name.removesuffix("/boosted_trees"): value for name, value in chain["metrics"].items()
    }
    by_heart = any(
        of_trees[f"auc_training_excess{where}"] > 3 * of_trees[f"auc_training_excess{where}_error"]
        for where in ("", "_in_window")
    )
    assert by_heart  # trees of so few events
    assert "learnt some of its training events by heart" in shown["card"]
    assert any(each.startswith("boosted_trees treats") for each in chain["caution"])
    assert len(shown["card"]) <= 5000
    assert shown["contract"]["held_out"] is None
    assert [row["name"] for row in shown["inputs"]] == ["leptons", "event", "fold"]
    apart = rootflow(place, "export", *named, *settings, "export.all_folds=false")
    names = [f"models:/h4l_fold{fold}of{FOLDS}" for fold in range(FOLDS)]
    assert apart["registered_model"] == [f"{name}/1" for name in names]
    assert apart["registered_training"] == [f"{name}-skops/1" for name in names]
    assert "onnx_all_folds" not in apart


def test_two_evaluations_are_compared(
    chain: dict[str, Any], place: Path, settings: list[str]
) -> None:
    alone = ["model.width=32", "model.name=wider", "evaluation.methods=[]"]
    wider = of_step(place, "evaluate", [*settings, *alone])
    compared = rootflow(place, "compare", "--json", chain["run_id"], wider["run_id"])
    assert {row["model"].split("/")[-1] for row in compared["models"]} >= {"feed_forward", "wider"}


def test_processes_without_files_are_simulated(place: Path) -> None:
    made = of_step(
        place,
        "preprocess",
        [
            "simulation.events={ggH: 30, ZZ: 30}",
            "data.samples.ggH.files=[]",
            "data.samples.ZZ.files=[]",
        ],
    )
    assert made["events"] > 0
    assert [run.data.tags["rootflow.step"] for run in children(place, made["run_id"])] == [
        "simulate"
    ]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("data.samples.ggH.files=[nothing*.root]", "'nothing*.root' matches no file"),
        ("data.samples.WZ={label: background}", "simulation.events does not say how many"),
        ("data.selection.four_lepton_mass_gev=[5000, 6000]", "no event"),
        ("inputs.event=[m4lepton]", "m4lepton"),
    ],
)
def test_bad_setting_is_one_line(place: Path, setting: str, says: str) -> None:
    config = str(PROJECT / "configs" / "h4l.yaml")
    answer = subprocess.run(
        [sys.executable, "-m", "rootflow", "train", "--config", config, *SMALL, setting],
        cwd=place,
        capture_output=True,
        text=True,
    )
    assert answer.returncode in (1, 2)
    [line] = [line for line in answer.stderr.splitlines() if line.startswith("rootflow:")]
    assert says in line
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("step", ["main", "evaluate"])
@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("evaluation.observable=m4lepton", "'m4lepton' is no feature of the event"),
        ("evaluation.signal=[ggF]", "evaluation.signal: 'ggF' is none of"),
        ("evaluation.methods=[{method: 'nowhere:My', name: my}]", "there is no module 'nowhere'"),
    ],
)
def test_what_cannot_be_evaluated_is_told_before_anything_is_trained(
    place: Path, step: str, setting: str, says: str
) -> None:
    config = str(PROJECT / "configs" / "h4l.yaml")
    output = "nothing_trained"
    words = [step, "--config", config, *SMALL, setting, f"output={output}"]
    answer = subprocess.run(
        [sys.executable, "-m", "rootflow", *words],
        cwd=place,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 2
    [line] = [line for line in answer.stderr.splitlines() if line.startswith("rootflow:")]
    assert says in line
    assert not (place / output / "trainings").exists()


@pytest.mark.parametrize(
    ("sample", "files", "found"),
    [
        ("data", "open-data/*.root", "its samples are all data"),
        ("diboson", "h4l/ZZ*.root", "its samples are all of one class, diboson"),
    ],
)
def test_main_refuses_what_leaves_nothing_to_tell_apart(
    workspace: Path, empty_store: Path, sample: str, files: str, found: str
) -> None:
    (workspace / "mlflow.db").write_bytes(empty_store.read_bytes())
    data = {
        "samples": {sample: {"label": sample, "files": [str(PROJECT / "data" / files)]}},
        "weights": {"negative": "keep", "luminosity_fb_inverse": 10},
    }
    config = load(PROJECT / "configs" / "h4l.yaml").model_copy(
        update={"data": FourLeptonDataConfig.model_validate(data)}
    )
    with pytest.raises(InputError, match=f"{found}: classification needs two classes"):
        main.run(config)
