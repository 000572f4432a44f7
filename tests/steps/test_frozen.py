"""An exported network of ttbar evaluated as it is: files made by hand, so nothing is trained."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
import yaml
from mlflow.tracking import MlflowClient

from ntuples import read_branches, write_ntuple
from rootflow.config import Config, FoldsConfig, change, load
from rootflow.config.methods import ModelMethodConfig
from rootflow.dataset import Dataset
from rootflow.errors import InputError, UsageError
from rootflow.export.variant import sealed
from rootflow.exported.checking import check_content
from rootflow.methods.exported import OnnxMethod
from rootflow.steps import evaluate, preprocess
from rootflow.steps.exported_files import find
from rootflow.steps.methods import model_method
from rootflow.tracking import start_run
from toy_exports import assigning_network

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def config(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """Go to a folder with a store of its own, and return quick settings."""
    place = tmp_path_factory.mktemp("frozen")
    [shipped] = (PROJECT / "data" / "ttbar").glob("*.root")
    ntuple = write_ntuple(place / "small.root", read_branches(shipped, 600))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place / 'mlflow.db'}")
        (place / "mlflow.db").write_bytes(empty_store.read_bytes())
        settings = [
            f"data.files=[{ntuple}]",
            "evaluation.replicas=10",
            "evaluation.importance_events=0",
            "evaluation.displays=0",
            "evaluation.drawn=[mtt]",
            "evaluation.unfold=[mtt]",
            "evaluation.methods=[random, {method: variant, name: deep, settings: {model.depth: 4}}"
            ", {method: ensemble, name: both, of: [model, deep]}]",
            f"output={place}/outputs",
        ]
        yield load(PROJECT / "configs" / "ttbar.yaml", settings)


@pytest.fixture(scope="module")
def dataset(config: Config) -> Dataset:
    with start_run(config, "preprocess") as run:
        return preprocess.ensure(config, run)


@pytest.fixture(scope="module")
def files(dataset: Dataset, config: Config) -> list[Path]:
    """Return networks that have not seen fold 0 and 1 of 5."""
    made = []
    for fold in range(2):
        folds = FoldsConfig(held_out=fold)
        network = assigning_network(
            dataset.events(), dataset.manifest.simulation_digest, folds=folds
        )
        path = config.output / f"fold{fold}.onnx"
        path.write_bytes(network.SerializeToString())
        made.append(path)
    return made


def changed(file: Path, name: str = "changed", **contract: Any) -> Path:
    """Write a network again, with another contract, and return its path."""
    content = file.read_bytes()
    said = check_content(content, str(file)).model_dump(mode="json") | contract
    proto = onnx.ModelProto.FromString(content)
    del proto.metadata_props[:]
    path = file.with_name(f"{name}.onnx")
    path.write_bytes(sealed(proto, type(check_content(content, "")).model_validate(said), {}))
    return path


def test_it_stands_beside_methods_that_need_no_training(
    config: Config, files: list[Path], dataset: Dataset
) -> None:
    found = evaluate.run(config, model=str(files[0]))
    assert found.facts["evaluated"] == str(files[0])
    assert found.facts["left_out_as_they_need_training"] == ["both", "deep", "transformer"]
    assert found.facts["fold"] == "0 of 5"
    assert found.facts["events"] == (dataset.events().fold == 0).sum()
    assert [row["method"] for row in found.tables["methods"]] == ["by_hand", "random"]
    accuracy = found.metrics["assignment_accuracy/by_hand"]
    assert accuracy > found.metrics["assignment_accuracy/random"]
    assert not (config.output / "trainings").exists()


def test_a_network_that_has_seen_the_held_out_fold_is_refused(
    config: Config, files: list[Path]
) -> None:
    with pytest.raises(UsageError, match="has not seen fold 1, but has seen fold 0, which data"):
        evaluate.run(config, model=str(files[1]))
    with pytest.raises(UsageError, match=r"has seen fold 1, 2, 3, 4, which data"):
        evaluate.run(change(config, {"data.folds.held_out": "all"}), model=str(files[0]))


def test_other_units_and_another_analysis_are_refused(config: Config, files: list[Path]) -> None:
    said = check_content(files[0].read_bytes(), "").model_dump(mode="json")
    for feature in said["inputs"][0]["features"]:
        feature["unit"] = {"rad": "degrees"}.get(feature["unit"], feature["unit"])
    other = changed(files[0], inputs=said["inputs"])
    with pytest.raises(UsageError, match="takes phi of jets in degrees, the dataset has it in rad"):
        evaluate.run(config, model=str(other))
    other = changed(files[0], analysis="h4l")
    with pytest.raises(UsageError, match="a model of h4l, the configuration is of ttbar"):
        evaluate.run(config, model=str(other))


def test_another_number_that_decides_the_folds_is_refused(
    config: Config, files: list[Path], tmp_path: Path
) -> None:
    runs = tmp_path / "runs.yaml"
    runs.write_text("base: topcptoolkit\nfold_number: runNumber\n")
    other = change(config, {"data.branch_map": str(runs)})
    with pytest.raises(UsageError, match=r"runs\.yaml: .* names no fold_number, this one differs"):
        evaluate.run(other, model=str(files[0]))


def test_networks_whose_inputs_other_code_computed_are_refused_or_noted(
    config: Config, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    other = changed(files[0], code="0123456789abcdef")
    with pytest.raises(InputError, match=r"changed\.onnx: .* by code 0123456789abcdef"):
        evaluate.run(config, model=str(other))
    method = f"[random, {{method: model, name: beside, source: {other}}}]"
    beside = change(config, {"evaluation.methods": yaml.safe_load(method)})
    with pytest.raises(InputError, match=r"changed\.onnx: .* by code 0123456789abcdef"):
        evaluate.run(beside, model=str(files[0]))
    for settings, model in ((config, other), (beside, files[0])):
        found = evaluate.run(settings, model=str(model), other_code="warn")
        noted = found.facts["other_code"]
        assert "by code 0123456789abcdef" in noted
        assert f"evaluate: {noted}\n" in capsys.readouterr().err
        run = MlflowClient().get_run(found.run_id)
        assert run.data.tags["rootflow.other_code"] == noted


def test_of_a_run_the_named_file_in_full_precision_is_taken(
    config: Config, files: list[Path], tmp_path: Path
) -> None:
    athena = changed(files[0], "a_athena", variant="athena")
    rounded = changed(files[0], "a_float16", precision="float16")
    with start_run(config, "export") as run:
        for path in (athena, rounded, files[0]):
            run.log_file(path, "export")
    found = find([run.run_id], tmp_path / "found", "evaluate --model")
    assert found.paths[0].name == files[0].name
    assert found.origin["run"] == run.run_id
    method = ModelMethodConfig(method="model", name="other", source=f"runs:/{run.run_id}")
    network = model_method(method, "reconstruction", tmp_path)
    assert isinstance(network, OnnxMethod)
    assert network.held_out == (0,)
