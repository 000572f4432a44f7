"""Collisions that come later: nothing is trained again, and a frozen model is evaluated on them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from four_lepton_ntuples import as_collisions, read_mini
from ntuples import Branches, write_ntuple
from rootflow.config import Config, change, load
from rootflow.dataset import open_dataset
from rootflow.errors import InputError, UsageError
from rootflow.methods.exported import OnnxMethod
from rootflow.steps import evaluate, export, main, train
from rootflow.steps.frozen import open_frozen
from rootflow.steps.registry import promote
from rootflow.steps.result import StepResult
from rootflow.tracking import start_run
from rootflow.tracking.registry import describe

PROJECT = Path(__file__).parents[2]
DATA = PROJECT / "data" / "h4l"
SAMPLES = ("ggH", "ZZ")
SIMULATED, NEW, OBSERVED = slice(0, 400), slice(400, 800), slice(800, 900)
FOLDS = 2

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")


@pytest.fixture(scope="module")
def place(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Go to an empty folder with a store of its own."""
    directory = tmp_path_factory.mktemp("unblinding")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{directory / 'mlflow.db'}")
        (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
        yield directory


@pytest.fixture(scope="module")
def files(place: Path) -> dict[str, Path]:
    """Return simulation, more of it, and a part without weights as collisions."""
    ntuples = {name: read_mini(DATA / f"{name}_s42_000.root") for name in SAMPLES}

    def write(name: str, branches: Branches) -> Path:
        return write_ntuple(place / f"{name}.root", branches, tree="mini")

    return {
        **{
            f"{name}{ending}": write(
                f"{name}{ending}", {branch: array[events] for branch, array in branches.items()}
            )
            for name, branches in ntuples.items()
            for ending, events in (("", SIMULATED), ("_new", NEW))
        },
        "data": write("data", as_collisions(ntuples["ZZ"], OBSERVED)),
    }


@pytest.fixture(scope="module")
def blind(place: Path, files: dict[str, Path]) -> Config:
    settings = [
        f"data.samples={{VBFH: null, ggH: {{label: signal, files: [{files['ggH']}]}}, "
        f"ZZ: {{label: background, files: [{files['ZZ']}]}}}}",
        f"data.folds.count={FOLDS}",
        "model={architecture: boosted_trees, trees: 20, min_samples_leaf: 5}",
        "evaluation.methods=[{architecture: boosted_trees, name: shallow, trees: 5}]",
        "evaluation.replicas=10",
        "evaluation.significance_window=null",
        "evaluation.importance_events=100",
        f"output={place}/outputs",
    ]
    return load(PROJECT / "configs" / "h4l.yaml", settings)


@pytest.fixture(scope="module")
def unblinded(blind: Config, files: dict[str, Path]) -> Config:
    return with_samples(blind, data={"label": "data", "files": [str(files["data"])]})


@pytest.fixture(scope="module")
def before(blind: Config) -> StepResult:
    return main.run(blind)


@pytest.fixture(scope="module")
def made(before: StepResult, place: Path) -> dict[str, int]:
    """Return what was trained before there were collisions."""
    assert before.facts["registered_model"] == "models:/h4l/1"
    return trainings(place)


@pytest.fixture(scope="module")
def after(made: dict[str, int], unblinded: Config) -> StepResult:
    assert made
    return main.run(unblinded)


def with_samples(config: Config, **samples: dict[str, Any]) -> Config:
    return change(config, {f"data.samples.{name}": said for name, said in samples.items()})


def trainings(place: Path) -> dict[str, int]:
    """Return when each model was written, by its training's name."""
    found = (place / "outputs" / "trainings").glob("*/model.*")
    return {path.parent.name: path.stat().st_mtime_ns for path in found}


def client(place: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{place / 'mlflow.db'}")


def run_below(place: Path, above: StepResult, step: str) -> str:
    experiment = client(place).get_experiment_by_name("h4l")
    assert experiment is not None
    wanted = f"tags.`mlflow.parentRunId` = '{above.run_id}' and tags.`rootflow.step` = '{step}'"
    [run] = client(place).search_runs([experiment.experiment_id], wanted)
    return str(run.info.run_id)


def test_collisions_added_later_train_nothing_again(
    before: StepResult, made: dict[str, int], after: StepResult, place: Path
) -> None:
    assert len(made) == 2 * FOLDS
    assert trainings(place) == made
    observed = {row["process"]: row for row in after.tables["yields"]}
    assert observed["data"]["events"] > 0
    assert "data" not in {row["process"] for row in before.tables["yields"]}
    for metric in ("auc", "significance", "fit_significance"):
        name = f"{metric}/boosted_trees"
        assert after.metrics[name] == before.metrics[name]
    assert "fit_observed_significance/boosted_trees" in after.metrics
    assert "fit_observed_significance/boosted_trees" not in before.metrics
    versions = [client(place).get_model_version("h4l", str(number)) for number in (1, 2)]
    assert versions[0].tags["rootflow.dataset"] != versions[1].tags["rootflow.dataset"]
    runs = [client(place).get_run(version.run_id).data.tags for version in versions]
    assert runs[0][train.TAG] == runs[1][train.TAG]
    assert runs[0]["rootflow.source.train"] == runs[1]["rootflow.source.train"]


def test_another_name_trains_nothing_again(
    before: StepResult, made: dict[str, int], blind: Config, place: Path
) -> None:
    renamed = change(blind, {"model.name": "forest", "evaluation.methods": []})
    result = evaluate.run(renamed)
    assert trainings(place) == made
    assert result.metrics["auc/forest"] == before.metrics["auc/boosted_trees"]
    exported = export.run(renamed, register=False)
    assert all(Path(path).name.startswith("h4l_forest") for path in exported.facts["onnx"])


def test_a_run_of_evaluate_is_exported_by_its_id(
    before: StepResult, blind: Config, place: Path
) -> None:
    of_run = run_below(place, before, "evaluate")
    assert export.run(blind, register=False, model=of_run).facts["onnx"]


@pytest.fixture(scope="module")
def frozen(before: StepResult, unblinded: Config) -> StepResult:
    return evaluate.run(unblinded, model=before.facts["registered_model"])


def test_a_frozen_model_is_evaluated_on_collisions(
    frozen: StepResult, before: StepResult, place: Path
) -> None:
    assert frozen.facts["evaluated"] == "models:/h4l/1"
    assert frozen.facts["left_out_as_they_need_training"] == ["shallow"]
    for metric in ("auc", "auc_training", "significance"):
        name = f"{metric}/boosted_trees"
        assert frozen.metrics[name] == pytest.approx(before.metrics[name], rel=1e-6)
    assert "fit_observed_significance/boosted_trees" in frozen.metrics
    run = client(place).get_run(frozen.run_id).data
    assert run.tags["rootflow.evaluated"] == "models:/h4l/1"
    assert run.tags["mlflow.runName"] == "evaluate models:/h4l/1"
    assert not {name for name in run.params if name.startswith(("model.", "training."))}
    artifacts = {each.path for each in client(place).list_artifacts(frozen.run_id)}
    assert {"figures", "report.html", "evaluation.json", "scores.parquet"} <= artifacts


def test_it_is_found_by_alias_run_file_folder_and_table(
    before: StepResult, unblinded: Config, place: Path, tmp_path: Path
) -> None:
    describe("models:/h4l/1", {}, alias="champion")
    combined = before.facts["onnx_all_folds"]
    folder = str(Path(combined).parent)
    table = f"{folder}/folds.json"
    evaluated = run_below(place, before, "evaluate")
    [dataset] = [
        made
        for manifest in (place / "outputs" / "datasets").glob("*/manifest.json")
        if len((made := open_dataset(manifest.parent)).manifest.samples) == len(SAMPLES)
    ]
    expected = OnnxMethod(combined, trained_on_these=True)
    for number, (model, said) in enumerate(
        {
            "models:/h4l@champion": "models:/h4l/1",
            before.run_id: before.run_id,
            evaluated: evaluated,
            combined: combined,
            folder: folder,
            table: folder,
        }.items()
    ):
        found = open_frozen(unblinded, model, tmp_path / str(number), "refuse")
        assert found.called == said
        scorer = found.model
        scorer.trained_on_these = True
        for score in ("answer", "answer_seen"):
            ours, theirs = (getattr(each, score)(dataset.events()) for each in (scorer, expected))
            np.testing.assert_array_equal(ours, theirs)


def test_a_champion_stays_comparable(
    before: StepResult, after: StepResult, unblinded: Config
) -> None:
    """Collisions beside the simulation of both models refuse no candidate."""
    describe(before.facts["registered_model"], {}, alias="champion")
    found = promote.run(unblinded, after.facts["registered_model"])
    assert found.tables["contest"][0]["gain"] == 0
    assert not [reason for reason in found.facts["reasons"] if "simulation" in reason]


def test_over_training_is_only_of_the_simulation_of_the_training(
    frozen: StepResult,
    made: dict[str, int],
    unblinded: Config,
    files: dict[str, Path],
    place: Path,
) -> None:
    new = change(
        unblinded,
        {f"data.samples.{name}.files": [str(files[f"{name}_new"])] for name in SAMPLES},
    )
    found = evaluate.run(new, model="models:/h4l/1")
    assert trainings(place) == made
    assert found.facts["simulation"] == "other than that of the model's training"
    assert found.facts["over_training"] == "left out: it needs the training's events"
    assert "over_training" not in frozen.facts
    assert "auc/boosted_trees" in found.metrics
    assert not [name for name in found.metrics if "training" in name or "ks_" in name]
    assert [name for name in frozen.metrics if "training" in name]
    assert "over_training" not in found.tables
    assert frozen.tables["over_training"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"data.selection.z1_mass_gev": [60.0, 106.0]},
            "models:/h4l/1: learnt from events that were selected otherwise: "
            "data.selection.z1_mass_gev is [60.0, 106.0], of its training it was [50.0, 106.0]",
        ),
        (
            {"data.folds.count": 3},
            "models:/h4l/1: its events were divided into 2 folds of the scheme hash, data.folds "
            "has 3 of hash",
        ),
    ],
)
def test_other_data_are_refused(
    settings: dict[str, Any], says: str, frozen: StepResult, unblinded: Config
) -> None:
    with pytest.raises(UsageError) as refused:
        evaluate.run(change(unblinded, settings), model=frozen.facts["evaluated"])
    assert str(refused.value) == says


def test_the_model_of_one_fold_is_refused(before: StepResult, unblinded: Config) -> None:
    with pytest.raises(UsageError, match="has not seen fold 0, but has seen fold 1, which data"):
        evaluate.run(unblinded, model=before.facts["onnx"][0])


def test_a_word_that_names_nothing(unblinded: Config) -> None:
    with pytest.raises(UsageError, match="evaluate --model boosted_tree: no model of the config"):
        evaluate.run(unblinded, model="boosted_tree")


def test_a_run_of_which_nothing_was_exported(unblinded: Config) -> None:
    with start_run(unblinded, "train") as run:
        run_id = run.run_id
    with pytest.raises(UsageError, match=f"run {run_id}: nothing was exported of it"):
        evaluate.run(unblinded, model=run_id)


def test_other_code_is_refused_by_the_model_s_name(
    frozen: StepResult, unblinded: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = frozen.facts["evaluated"]
    monkeypatch.setattr("rootflow.exported.contract.code_digest", lambda *_: "fedcba9876543210")
    with pytest.raises(InputError, match=f"^{called}: the inputs of its training were computed by"):
        evaluate.run(unblinded, model=called)
