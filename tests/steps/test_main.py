"""The whole chain on a small ntuple, through the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import yaml
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from glossary import assert_known
from rootflow.exported.session import open_exported
from rootflow.training.record import read_record

CONFIG = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
SMALL = [
    "model.architecture=feed_forward",
    "model.width=16",
    "training.epochs=2",
    "evaluation.replicas=20",
    "evaluation.bins={jets: [1.5, 2.5, 3.5]}",
    "evaluation.drawn=[mtt]",
    "evaluation.displays=1",
    "evaluation.importance_events=100",
]
# Figures take most of the time of an evaluation this small; the chain itself draws them all.
FEW_FIGURES = [
    "evaluation.methods=[delta_r]",
    "evaluation.drawn=[]",
    "evaluation.displays=0",
    "evaluation.importance_events=0",
]


@pytest.fixture(scope="module")
def place(
    small_ntuple: Path, empty_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Return a working directory with a store, and the ntuple."""
    directory = tmp_path_factory.mktemp("chain")
    (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
    return directory, small_ntuple


@pytest.fixture(scope="module")
def chain(place: tuple[Path, Path]) -> dict[str, Any]:
    """Return what main says of the chain."""
    return rootflow(place, "main")


def rootflow(place: tuple[Path, Path], step: str, *settings: str) -> dict[str, Any]:
    answer = subprocess.run(
        command(place, step, *settings), cwd=place[0], capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    result: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return result


def command(place: tuple[Path, Path], step: str, *settings: str) -> list[str]:
    files = f"data.files=[{place[1]}]"
    arguments = ["--config", str(CONFIG), "--json", files, *SMALL, *settings]
    return [sys.executable, "-m", "rootflow", step, *arguments]


def client(place: tuple[Path, Path]) -> MlflowClient:
    return MlflowClient(f"sqlite:///{place[0] / 'mlflow.db'}")


def children(place: tuple[Path, Path], parent: str) -> dict[str, Run]:
    store = client(place)
    experiment = store.get_experiment_by_name("ttbar")
    assert experiment is not None
    runs = store.search_runs([experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{parent}'")
    return {run.data.tags["rootflow.step"]: run for run in runs}


def test_every_metric_is_in_the_glossary(chain: dict[str, Any], place: tuple[Path, Path]) -> None:
    assert {"METRIC/METHOD", "best_validation_loss"} <= assert_known(client(place).tracking_uri)
    assert chain["metrics"]


def test_main_ends_with_every_method_and_the_onnx_file(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    methods = {row["method"] for row in chain["methods"]}
    assert methods == {"feed_forward", "random", "delta_r", "m_lb", "truth"}
    assert chain["metrics"]["assignment_accuracy/truth"] == 1
    assert 0 < chain["metrics"]["assignment_accuracy_error/delta_r"] < 0.2
    assert chain["look_at_it"].endswith("mlflow ui --backend-store-uri sqlite:///mlflow.db")
    for name in ("onnx", "onnx_flat"):
        onnxruntime.InferenceSession(place[0] / chain[name])
    for header in ("ttbar_feed_forward.hpp", "ttbar_feed_forward_flat.hpp"):
        assert (place[0] / chain["cplusplus"] / header).exists()


def test_each_step_is_a_child_of_main(chain: dict[str, Any], place: tuple[Path, Path]) -> None:
    steps = children(place, chain["run_id"])
    assert set(steps) == {"preprocess", "train", "evaluate", "export"}
    assert {run.info.status for run in steps.values()} == {"FINISHED"}
    datasets = {run.data.tags["rootflow.dataset"] for run in steps.values()}
    assert len(datasets) == 1
    assert steps["train"].data.tags["rootflow.device"] == "CPU"
    assert steps["export"].data.tags["rootflow.source.train"] == steps["train"].info.run_id
    assert steps["train"].data.tags["rootflow.source.preprocess"] == (
        steps["preprocess"].info.run_id
    )
    main = client(place).get_run(chain["run_id"])
    assert main.data.tags["rootflow.dataset"] in datasets
    assert len(main.inputs.dataset_inputs) == 1
    assert steps["export"].data.metrics["parity_probability"] <= 1e-5
    assert steps["export"].data.metrics["parity_momentum"] <= 1e-3


def test_training_logs_every_epoch_and_its_history_as_a_figure(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    train = children(place, chain["run_id"])["train"]
    history = client(place).get_metric_history(train.info.run_id, "validation_loss")
    assert [metric.step for metric in history] == [1, 2]
    assert train.data.metrics["events_per_second"] > 0
    figures = client(place).list_artifacts(train.info.run_id, "figures")
    assert [figure.path for figure in figures] == ["figures/history.png"]


def test_evaluation_logs_metrics_figures_and_the_report(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    run = children(place, chain["run_id"])["evaluate"]
    assert run.data.metrics["assignment_accuracy/truth"] == 1
    for metric in ("assignment_accuracy", "mtt_resolution", "mtt_bias", "efficiency"):
        assert f"{metric}/feed_forward" in run.data.metrics
        assert f"{metric}_error/feed_forward" in run.data.metrics
    artifacts = {each.path for each in client(place).list_artifacts(run.info.run_id)}
    assert {"figures", "images", "report.html", "evaluation.json"} <= artifacts


def test_registered_model_is_kept_in_the_experiment_of_its_run(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    experiment = children(place, chain["run_id"])["export"].info.experiment_id
    models = client(place).search_logged_models([experiment])
    assert [model.source_run_id for model in models] == [
        children(place, chain["run_id"])["export"].info.run_id
    ]


def test_registered_model_says_what_the_file_says(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    code = f"""
import json, mlflow, numpy as np, onnxruntime
mlflow.set_tracking_uri("sqlite:///mlflow.db")
model = mlflow.pyfunc.load_model({chain["registered_model"]!r})
example = model.input_example
example = {{name: np.asarray(value) for name, value in example.items()}}
types = {{spec.name: spec.type for spec in model.metadata.signature.inputs}}
example = {{name: value.astype(types[name]) for name, value in example.items()}}
session = onnxruntime.InferenceSession({chain["onnx"]!r})
expected = dict(zip([o.name for o in session.get_outputs()], session.run(None, example)))
answer = model.predict(example)
assert set(answer) == set(expected) == {{"assignment", "neutrinos"}}, answer.keys()
for name in expected:
    np.testing.assert_array_equal(answer[name], expected[name])
"""
    subprocess.run([sys.executable, "-c", code], cwd=place[0], check=True)


def test_registered_file_is_the_exported_one(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    folder = str(client(place).get_model_version_download_uri("ttbar", "1"))
    registered = place[0] / folder.removeprefix("file:") / "model.onnx"
    open_exported(registered)
    assert registered.read_bytes() == (place[0] / chain["onnx"]).read_bytes()


def version(place: tuple[Path, Path], uri: str) -> ModelVersion:
    name, number = uri.removeprefix("models:/").split("/")
    return client(place).get_model_version(name, number)


def test_registered_version_is_the_candidate_and_has_a_card(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    steps = children(place, chain["run_id"])
    digest = steps["export"].data.tags["rootflow.dataset"]
    found = version(place, chain["registered_model"])
    assert found.aliases == ["candidate"]
    assert found.tags["rootflow.dataset"] == digest
    assert found.tags["rootflow.trained"] == chain["registered_training"]
    metrics = steps["evaluate"].data.metrics
    assert (
        float(found.tags["rootflow.metric.value"]) == (metrics["assignment_accuracy/feed_forward"])
    )
    accuracy, error = (
        metrics[f"assignment_accuracy{what}/feed_forward"] for what in ("", "_error")
    )
    card = found.description
    assert len(card) <= 5000
    for said in (
        "# ttbar, version 1",
        f"| evaluation | assignment_accuracy | {accuracy:.4g} ± {error:.2g} |",
        "| validation | assignment_accuracy | ",
        "| parity | probability | ",
        f"- Dataset `{digest}`",
        "small.root",
        "lepton_pt_min_gev 25.0",
        "trained on all but fold 0",
        "| jets pt | 25",
        f"`runs:/{steps['evaluate'].info.run_id}/figures`: ",
        f"training run {steps['train'].info.run_id}",
        "Cite as: ",
    ):
        assert said in card
    cards = {each.path for each in client(place).list_artifacts(steps["export"].info.run_id)}
    assert "model_card_ttbar.md" in cards


def test_the_training_is_registered_as_it_is(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    assert chain["registered_training"] == "models:/ttbar-keras/1"
    found = version(place, chain["registered_training"])
    assert found.tags["rootflow.onnx"] == chain["registered_model"]
    folder = Path(client(place).get_model_version_download_uri("ttbar-keras", "1"))
    folder = place[0] / str(folder).removeprefix("file:")
    record = read_record(folder)
    assert record.folds.held_out == 0
    [training] = (place[0] / "outputs" / "trainings").glob(f"*/{record.model_file}")
    assert (folder / record.model_file).read_bytes() == training.read_bytes()
    signature = yaml.safe_load((folder / "MLmodel").read_text())["signature"]
    assert [each["name"] for each in json.loads(signature["inputs"])] == [
        "jets",
        "jet_mask",
        "leptons",
        "met",
    ]


def test_the_training_of_a_run_is_exported_whatever_the_configuration_says(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    train = children(place, chain["run_id"])["train"]
    settings = ["--model", train.info.run_id, "training.epochs=7", "export.registered_model=again"]
    again = rootflow(place, "export", *settings)
    assert again["registered_model"] == "models:/again/1"
    assert children(place, again["run_id"]) == {}
    run = client(place).get_run(again["run_id"])
    assert run.data.tags["rootflow.training"] == train.data.tags["rootflow.training"]
    preprocess = children(place, chain["run_id"])["preprocess"].info.run_id
    for model, complaint in (
        ("deep_set", "model deep_set: no model of the configuration, which has feed_forward"),
        ("0" * 32, "there is no run 000"),
        (preprocess, f"run {preprocess} has no training"),
    ):
        answer = subprocess.run(
            command(place, "export", "--model", model), cwd=place[0], capture_output=True, text=True
        )
        assert answer.returncode == 2
        assert complaint in answer.stderr
        assert "Traceback" not in answer.stderr


def test_a_model_that_was_trained_outside_git_is_refused_by_the_command(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    arguments = command(place, "registry", chain["registered_model"])
    arguments.insert(arguments.index("registry") + 1, "promote")
    answer = subprocess.run(arguments, cwd=place[0], capture_output=True, text=True)
    assert answer.returncode == 1
    told = json.loads(answer.stdout.splitlines()[-1])
    assert told["decision"] == "refused"
    unclean = "tree: it was not known to be clean (no git repository) when the model was"
    assert told["reasons"] == [f"{unclean} exported", f"{unclean} trained"]
    [line] = [line for line in answer.stderr.splitlines() if line.startswith("rootflow:")]
    assert line == f"rootflow: models:/ttbar/1 is refused: {'; '.join(told['reasons'])}"
    assert told["metrics"]["value"] == pytest.approx(
        chain["metrics"]["assignment_accuracy/feed_forward"], abs=0.01
    )


def test_second_run_finds_everything_again_and_says_the_same(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    again = rootflow(place, "evaluate")
    assert again["metrics"] == chain["metrics"]
    assert children(place, again["run_id"]) == {}


def test_step_alone_makes_what_it_needs_below_itself(
    place: tuple[Path, Path], chain: dict[str, Any]
) -> None:
    other = ["training.max_steps=3", "data.folds.held_out=1"]
    alone = rootflow(place, "evaluate", *other, *FEW_FIGURES)
    assert set(children(place, alone["run_id"])) == {"train"}
    bias = "mtt_bias/feed_forward"
    assert alone["metrics"][bias] != chain["metrics"][bias]


def test_a_variant_is_trained_and_the_run_comes_from_the_model_all_the_same(
    chain: dict[str, Any], place: tuple[Path, Path]
) -> None:
    variant = "{method: variant, name: small, settings: {model.width: 8, training.epochs: 1}}"
    made = rootflow(place, "evaluate", *FEW_FIGURES, f"evaluation.methods=[{variant}]")
    assert "assignment_accuracy/small" in made["metrics"]
    run = client(place).get_run(made["run_id"])
    train = children(place, chain["run_id"])["train"]
    assert run.data.tags["rootflow.source.train"] == train.info.run_id
    assert run.data.tags["rootflow.training"] == train.data.tags["rootflow.training"]


def test_every_fold_is_held_out_by_one_command(place: tuple[Path, Path]) -> None:
    folds = "data.folds={count: 2, held_out: all, scheme: parity}"
    quick = [folds, "data.max_jets=4", *FEW_FIGURES]
    made = rootflow(place, "main", *quick, "export.registered_model=parity")
    steps = children(place, made["run_id"])
    trainings = client(place).search_runs(
        [steps["train"].info.experiment_id],
        f"tags.`mlflow.parentRunId` = '{steps['train'].info.run_id}'",
    )
    assert sorted(run.data.tags["rootflow.fold"] for run in trainings) == ["0", "1"]
    digest = steps["train"].data.tags["rootflow.dataset"]
    manifest = place[0] / "outputs" / "datasets" / digest / "manifest.json"
    assert made["events"] == json.loads(manifest.read_text())["events"]
    assert made["folds"] == "2, each held out"
    for name in ("onnx", "onnx_flat"):
        even, odd = map(Path, made[name])
        assert "_applied_to_even" in even.name
        assert "_applied_to_odd" in odd.name
    versions = [f"models:/parity_{fold}/1" for fold in ("even", "odd")]
    assert made["registered_model"] == versions
    others = [
        f"{{method: model, name: exported, source: runs:/{made['run_id']}}}",
        "{method: hybrid, assignment: exported, neutrinos: model}",
    ]
    again = rootflow(place, "evaluate", *quick, f"evaluation.methods=[{','.join(others)}]")
    for name in ("exported", "hybrid"):
        for metric in ("assignment_accuracy", "mtt_resolution"):
            expected = made["metrics"][f"{metric}/feed_forward"]
            assert again["metrics"][f"{metric}/{name}"] == pytest.approx(expected, abs=1e-3)


LONGER = ["training.epochs=4", *FEW_FIGURES]


@pytest.fixture(scope="module")
def undisturbed(place: tuple[Path, Path]) -> dict[str, Any]:
    return rootflow(place, "evaluate", *LONGER, "output=undisturbed")


@pytest.mark.parametrize("seconds_after_first_file", [0.0, 2.5])
def test_killed_step_finishes_with_the_same_result_when_started_again(
    place: tuple[Path, Path], undisturbed: dict[str, Any], seconds_after_first_file: float
) -> None:
    settings = [*LONGER, f"output=killed_{seconds_after_first_file}"]
    process = subprocess.Popen(
        command(place, "evaluate", *settings), cwd=place[0], stdout=subprocess.DEVNULL
    )
    trainings = place[0] / f"killed_{seconds_after_first_file}" / "trainings"
    while process.poll() is None and not list(trainings.glob("*/*")):
        time.sleep(0.02)
    time.sleep(seconds_after_first_file)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    again = rootflow(place, "evaluate", *settings)
    assert again["metrics"] == undisturbed["metrics"]
