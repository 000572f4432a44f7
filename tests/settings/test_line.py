"""All settings off their defaults at once, through all steps and into the record."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest

from other_values import EVALUATE, EXPORT, PREPROCESS, PROMOTE, RECORD, SIMULATE, TRAIN
from rootflow.config import Config, load
from rootflow.errors import UsageError
from rootflow.steps import evaluate, export, simulate
from rootflow.steps.registry import promote
from rootflow.steps.result import StepResult
from rootflow.tracking import artifact_of
from small_configurations import FEW, SMALLEST, few, of_kind

Values = dict[str, Any]
Step = Callable[[Config], StepResult]
IDENTITY = ("-c", "user.name=Tester", "-c", "user.email=tester@localhost")
LINE = (PREPROCESS, TRAIN, EVALUATE, EXPORT, PROMOTE, RECORD)

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")


@pytest.fixture
def place(
    empty_store: Path, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Go to a clean git tree, which a promotion asks for, with a store and the samples."""
    directory = tmp_path_factory.mktemp("line")
    (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
    for path in samples.iterdir():
        (directory / path.name).symlink_to(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        Path(".gitignore").write_text("*\n!.gitignore\n")
        for words in (["init"], ["add", ".gitignore"], ["commit", "--message", "Ignore all"]):
            subprocess.run(["git", *IDENTITY, *words], check=True, capture_output=True)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{directory / 'mlflow.db'}")
        yield directory


def of_kinds(analysis: str, head: str) -> dict[str, Values]:
    """Return for each kind of block below `head` all its settings, off their defaults."""
    kinds: dict[str, Values] = {}
    for table in LINE:
        for path, other in table[analysis].items():
            kind, setting = of_kind(path)
            if kind and path.startswith(f"{head}["):
                *outer, name = setting.removeprefix(f"{head}.").split(".")
                block = kinds.setdefault(kind, {})
                for part in outer:
                    block = block.setdefault(part, {})
                block[name] = other.value
    return kinds


def at_once(analysis: str) -> Values:
    """Return all other values of settings that are of no kind."""
    return {
        path: other.value
        for table in LINE
        for path, other in table[analysis].items()
        if not of_kind(path)[0] and not path.startswith(("data.samples.", "data.objects."))
    }


def ttbar() -> Values:
    """Return a model, and beside it variants of all other kinds, and what is made of networks.

    All other methods are in `test_evaluate`, each setting alone.
    """
    networks = of_kinds("ttbar", "model")
    heads = of_kinds("ttbar", "model.neutrinos")
    blocks = {kind: {"architecture": kind, **block} for kind, block in networks.items()}
    model = blocks.pop("cross_attention")
    blocks["feed_forward"]["neutrinos"] = {"head": "flow", **heads["flow"]}
    blocks["set_transformer"]["neutrinos"] = {"head": "binned", **heads["binned"]}
    known = of_kinds("ttbar", "evaluation.methods")
    methods = {kind: known[kind] for kind in ("delta_r", "hybrid", "model", "ensemble", "truth")}
    variants = [
        {
            "method": "variant",
            "name": block.pop("name"),
            "settings": {"model": block, "training.losses.neutrinos": None, "seed": 8},
        }
        for block in blocks.values()
    ]
    methods["ensemble"]["of"] = ["model", *(variant["name"] for variant in variants)]
    last = {kind: methods.pop(kind) for kind in ("ensemble", "truth")}
    return {
        **at_once("ttbar"),
        "data.samples": {},
        "model": model,
        "evaluation.methods": [
            *({"method": kind, **block} for kind, block in methods.items()),
            *variants,
            *({"method": kind, **block} for kind, block in last.items()),
        ],
        "evaluation.reference": "known",
    }


def h4l() -> Values:
    """Return a model with those of all other kinds beside it."""
    models = [{"architecture": kind, **block} for kind, block in of_kinds("h4l", "model").items()]
    samples = {name: dict(sample) for name, sample in FEW["h4l"]["data.samples"].items()}
    samples["VBFH"] |= {
        path.removeprefix("data.samples."): other.value
        for path, other in PREPROCESS["h4l"].items()
        if path.startswith("data.samples.") and not path.endswith("pseudo_data")
    }
    samples["pseudo"] = {
        "label": "data",
        "files": ["{folder}/ggH_1.root"],
        "pseudo_data": True,
    }
    return {
        **at_once("h4l"),
        "data.samples": samples,
        "data.folds.count": 2,
        "data.folds.held_out": "all",  # as a file of all folds needs
        "model": models[0],
        "evaluation.methods": [
            *models[1:],
            {"method": "own_methods:HardLepton", "name": "mine", "settings": {"scale_gev": 50.0}},
            {"method": "variant", "name": "again", "settings": {"seed": 7}},
            {"method": "model", "name": "before", "source": "{folder}/other.onnx"},
            {"method": "ensemble", "name": "mean", "of": ["model", "again", "before"]},
        ],
    }


def through(step: Step, analysis: str, values: Values, place: Path) -> StepResult:
    """Return what a step says with all values; where it fails, say which few of them fail."""
    try:
        return step(few(analysis, place, values))
    except Exception as error:
        guilty = failing(step, analysis, values, SMALLEST[analysis], place)
        raise AssertionError(f"{step.__module__} with {guilty}: {error}") from error


def failing(step: Step, analysis: str, values: Values, base: Values, place: Path) -> list[str]:
    """Return the paths of values that fail, of which neither half fails alone."""
    paths = list(values)
    if len(paths) == 1:
        [(path, value)] = values.items()
        if not isinstance(value, dict) or "architecture" not in value:
            return paths
        base = {**base, path: {"architecture": value["architecture"]}}
        values = {f"{path}.{name}": each for name, each in value.items()}
        paths = list(values)
    for half in (paths[: len(paths) // 2], paths[len(paths) // 2 :]):
        some = {path: values[path] for path in half}
        if not passes(step, analysis, {**base, **some}, place):
            return failing(step, analysis, some, base, place)
    return paths


def passes(step: Step, analysis: str, values: Values, place: Path) -> bool:
    try:
        step(few(analysis, place, values))
    except UsageError:  # one does not go without the other
        return True
    except Exception:
        return False
    return True


def recorded(result: StepResult, place: Path) -> Config:
    """Return the configuration that a run has kept."""
    return load(artifact_of(result.run_id, "config.yaml", place / "records" / result.run_id))


def whole_line(analysis: str, values: Values, place: Path) -> dict[str, StepResult]:
    """Return what export, which trains before, evaluate and promote say, each with its record."""
    results = {"export": through(export.run, analysis, values, place)}
    # The method `model`.
    exported = results["export"].facts
    file = exported.get("onnx_all_folds", exported["onnx"])
    (place / "other.onnx").write_bytes(Path(file).read_bytes())
    results["evaluate"] = through(evaluate.run, analysis, values, place)
    results["promote"] = through(promote.run, analysis, values, place)
    for result in results.values():
        assert recorded(result, place) == few(analysis, place, values)
    assert results["promote"].facts["reasons"] == []
    assert results["export"].facts["registered_model"] == "models:/other/1"
    return results


def metadata(path: str) -> dict[str, str]:
    model = onnx.load(path)
    assert {each.version for each in model.opset_import if not each.domain} == {18}
    return {each.key: each.value for each in model.metadata_props}


def test_all_settings_of_ttbar_go_through_the_line_and_into_the_record(place: Path) -> None:
    values = ttbar()
    results = whole_line("ttbar", values, place)
    exported = results["export"].facts
    files = [name for name in exported if name.startswith("onnx")]
    assert len(files) == len(values["export.targets"]) * len(values["export.precisions"])
    assert metadata(exported["onnx"])["rootflow.units"] == values["export.input_units"]
    names = [values["model"]["name"], *(each["name"] for each in values["evaluation.methods"])]
    assert [row["method"] for row in results["evaluate"].tables["methods"]] == names
    assert results["promote"].tables["contest"][0]["metric"] == values["promotion.metric"]


def test_all_settings_of_h4l_go_through_the_line_and_into_the_record(place: Path) -> None:
    values = h4l()
    results = whole_line("h4l", values, place)
    exported = results["export"].facts
    assert metadata(exported["onnx_all_folds"])["rootflow.model"] == values["model"]["name"]
    assert metadata(exported["onnx_all_folds"])["rootflow.units"] == values["export.input_units"]
    assert {f"onnx{each}" for each in ("", "_flat", "_athena", "_flat_int8")} <= set(exported)
    names = [each["name"] for each in (values["model"], *values["evaluation.methods"])]
    assert [row["model"] for row in results["evaluate"].tables["auc"]] == names


@pytest.mark.parametrize("analysis", ["ttbar", "h4l"])
def test_all_settings_go_through_the_simulation(analysis: str, place: Path) -> None:
    values = {path: other.value for path, other in SIMULATE[analysis].items()}
    simulated = through(simulate.run, analysis, values, place)
    assert recorded(simulated, place) == few(analysis, place, values)


def test_the_setting_that_fails_is_found(place: Path) -> None:
    def step(config: Config) -> StepResult:
        if getattr(config.model, "l2", 0.0) > 0:
            raise ValueError("float32 and float64")
        return StepResult("train", "", {})

    with pytest.raises(AssertionError, match=r"with \['model\.l2'\]: float32 and float64"):
        through(step, "h4l", h4l(), place)
