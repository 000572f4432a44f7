"""Models of all folds as one, without TensorFlow, for both analyses."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from exporting import FLAT, about_h4l, exported_classifiers
from rootflow.config import (
    FoldingConfig,
)
from rootflow.dataset import Events
from rootflow.dataset.folds import fold_of
from rootflow.errors import InputError, UsageError
from rootflow.exported import FoldedModel
from toy_four_leptons import H4L_FEATURES, toy_four_leptons

if TYPE_CHECKING:
    from rootflow.export.writing import Export
    from rootflow.methods.combined import FoldedMethod

FOLDS = FoldingConfig(count=3)


@pytest.fixture(scope="module")
def toys() -> Events:
    return toy_four_leptons(300, folds=FOLDS)


@pytest.fixture(scope="module")
def scorer() -> "FoldedMethod":
    from rootflow.methods.combined import FoldedMethod
    from rootflow.methods.trained import TrainedMethod
    from small_classifier import small_classifier

    networks = [
        TrainedMethod("small", small_classifier(fold + 1), folds, H4L_FEATURES)
        for fold, folds in enumerate(FOLDS.in_turn())
    ]
    return FoldedMethod("small", networks)


@pytest.fixture(scope="module")
def folder(toys: Events, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the export of three classifiers that differ."""
    from small_classifier import small_classifier

    models = [small_classifier(fold + 1) for fold in range(FOLDS.count)]
    directory = tmp_path_factory.mktemp("export") / "small"
    exported_classifiers(models, toys, about_h4l(FOLDS, name="small"), directory)
    return directory


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def inputs(events: Events) -> dict[str, np.ndarray]:
    return {"leptons": events.leptons, "event": events.event}


def test_each_event_gets_the_score_of_the_network_that_has_not_seen_it(
    folder: Path, toys: Events, scorer: "FoldedMethod"
) -> None:
    said = FoldedModel(folder).predict(inputs(toys), toys.event_number)
    np.testing.assert_allclose(said["score"][:, 0], scorer.answer(toys), atol=1e-6)


def test_one_file_of_all_folds_says_the_same(folder: Path, toys: Events) -> None:
    table = json.loads((folder / "folds.json").read_text())
    whole = FoldedModel(folder / table["all_folds"])
    assert whole.held_out == (0, 1, 2)
    np.testing.assert_allclose(
        whole.predict(inputs(toys), toys.event_number)["score"],
        FoldedModel(folder).predict(inputs(toys), toys.event_number)["score"],
        atol=1e-6,
    )


def test_events_of_the_training_are_refused(folder: Path, toys: Events) -> None:
    model, own = FoldedModel(folder), toys.take(toys.fold == 1)
    alone = model.predict(inputs(own), own.event_number, fold=1)
    np.testing.assert_allclose(
        alone["score"], model.predict(inputs(own), own.event_number)["score"], atol=1e-6
    )
    with pytest.raises(InputError, match=r"small was trained on the folds of .* of these 300"):
        model.predict(inputs(toys), toys.event_number, fold=1)
    of_data = model.predict(inputs(toys), toys.event_number, fold=1, allow_seen_events=True)
    np.testing.assert_allclose(of_data["score"][toys.fold == 1], alone["score"], atol=1e-6)
    with pytest.raises(UsageError, match="no model of fold 3, only of 0, 1, 2"):
        model.predict(inputs(toys), toys.event_number, fold=3)


def test_some_of_the_folds(folder: Path, toys: Events) -> None:
    table = json.loads((folder / "folds.json").read_text())["folds"]
    two = FoldedModel(folder / table["2"], folder / table["0"])
    np.testing.assert_array_equal(two.unseen(toys.event_number), toys.fold != 1)
    own = toys.take(toys.fold != 1)
    two.predict(inputs(own), own.event_number)
    with pytest.raises(InputError, match=r"folds 1 of 3, hash\); it may be applied to fold 0, 2"):
        two.predict(inputs(toys), toys.event_number)
    whole = json.loads((folder / "folds.json").read_text())["all_folds"]
    with pytest.raises(UsageError, match=r"all_folds\.onnx: has the models of all folds"):
        FoldedModel(folder / table["2"], folder / whole)
    with pytest.raises(UsageError, match="two of the files are of the same fold"):
        FoldedModel(folder / table["2"], folder / table["2"])


def test_signed_numbers_of_32_bits_are_in_the_folds_of_the_ntuple(folder: Path) -> None:
    numbers = np.array([-5, 7], np.int32)
    wanted = fold_of(numbers.astype(np.uint64), FOLDS)
    np.testing.assert_array_equal(FoldedModel(folder).chosen(numbers), wanted)


def test_no_events_get_no_answers(folder: Path, toys: Events) -> None:
    none = toys.take(slice(0, 0))
    assert FoldedModel(folder).predict(inputs(none), none.event_number)["score"].shape == (0, 1)


def test_other_inputs_are_refused(folder: Path, toys: Events) -> None:
    model = FoldedModel(folder)
    with pytest.raises(InputError, match="small takes leptons, event; these inputs are leptons"):
        model.predict({"leptons": toys.leptons}, toys.event_number)
    with pytest.raises(InputError, match=r"leptons is \(300, 3, 5\), not \(300, 4, 5\) with .* pt"):
        model.predict(inputs(toys) | {"leptons": toys.leptons[:, :3]}, toys.event_number)
    with pytest.raises(InputError, match=r"event_number is \(n,\) integers"):
        model.predict(inputs(toys), toys.weight)  # type: ignore[arg-type]


def test_networks_of_ttbar(ttbar_folds: Path, real_events: Events) -> None:
    few = real_events.take(slice(0, 500))
    said = FoldedModel(ttbar_folds).predict(few.inputs(), few.event_number)
    assert said["assignment"].shape == (500, 8, 8)
    # The networks of the two folds differ by 100 GeV, and in nothing else.
    one = FoldedModel(ttbar_folds).predict(
        few.inputs(), few.event_number, fold=0, allow_seen_events=True
    )
    shift = 100 * (few.event_number % 2).astype(np.float32)
    np.testing.assert_allclose(
        said["neutrinos"] - one["neutrinos"],
        np.broadcast_to(shift[:, None, None], (500, 2, 3)),
        atol=1e-2,
    )


def test_a_folder_is_checked(copy: Path) -> None:
    table = json.loads((copy / "folds.json").read_text())

    def refused(folds: object, match: str) -> None:
        (copy / "folds.json").write_text(json.dumps({"folds": folds}))
        with pytest.raises(InputError, match=match) as refusal:
            FoldedModel(copy)
        assert "\n" not in str(refusal.value)

    names = table["folds"]
    refused(names | {"0": names["1"]}, "is of fold 0 of 3, and the file .* of fold 1 of 3")
    refused({"0": names["0"]}, "of fold 0 of 1, and .* of fold 0 of 3")
    refused({key: names[key] for key in "12"}, "not of each, from 0 on")
    refused(names | {"0": table["all_folds"]}, "of all folds of 3")
    refused([], "does not say under 'folds'")
    refused(names | {"0": 5}, "does not say under 'folds'")
    refused(names | {"0": "absent.onnx"}, r"absent\.onnx")
    shutil.copy(copy / names["0"], copy.parent / "outside.onnx")
    refused(names | {"0": "../outside.onnx"}, "names a file outside its folder")
    refused(names | {"0": str(copy.parent / "outside.onnx")}, "names a file outside its folder")
    (copy / "link.onnx").symlink_to(copy.parent / "outside.onnx")
    refused(names | {"0": "link.onnx"}, "names a file outside its folder")
    (copy / "folds.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        FoldedModel(copy)
    (copy / "folds.json").unlink()
    with pytest.raises(InputError, match="as `rootflow export` writes it"):
        FoldedModel(copy)


def test_what_is_no_model_is_refused_and_not_run(copy: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    name = json.loads((copy / "folds.json").read_text())["folds"]["1"]
    content = (copy / name).read_bytes()
    for bad in (pickle.dumps(Bomb()), content[: len(content) // 2], b""):
        (copy / name).write_bytes(bad)
        with pytest.raises(InputError, match=name) as refusal:
            FoldedModel(copy)
        assert "\n" not in str(refusal.value)
    assert not (tmp_path / "ran").exists()


def test_files_of_two_models_are_refused(
    folder: Path, ttbar_folds: Path, exported: "Export"
) -> None:
    first = json.loads((folder / "folds.json").read_text())["folds"]["0"]
    with pytest.raises(InputError, match=r"not of the same model as .*: other analysis"):
        FoldedModel(folder / first, exported.named_path)
    with pytest.raises(InputError, match="flat variant is for the ntuple production"):
        FoldedModel(exported.files[FLAT])
    with pytest.raises(InputError, match="a folder beside other models"):
        FoldedModel(folder, ttbar_folds)
    with pytest.raises(InputError, match="no model: name a folder"):
        FoldedModel()


def test_neither_tensorflow_nor_mlflow_is_needed() -> None:
    code = (
        "import sys; from rootflow.exported import FoldedModel; "
        "print({'tensorflow', 'keras', 'mlflow'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set()"


def test_the_snippet_of_the_documentation(ttbar_folds: Path, real_events: Events) -> None:
    page = Path(__file__).parents[2] / "docs" / "apply.md"
    blocks = [each.split("```")[0] for each in page.read_text().split("```python\n")[1:]]
    [snippet] = [block for block in blocks if "FoldedModel" in block]
    few = real_events.take(slice(0, 50))
    names = {"inputs": few.inputs(), "event_number": few.event_number, "folder": ttbar_folds}
    exec(compile(snippet, str(page), "exec"), names)  # noqa: S102 - our own page
    assert names["answers"]["neutrinos"].shape == (50, 2, 3)  # type: ignore[call-overload,index]
