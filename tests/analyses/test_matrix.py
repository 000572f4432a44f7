"""Everything that one analysis has, the others have: each cell of the table shows its product."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from rootflow.analysis import analysis_named
from rootflow.dataset import Dataset
from rootflow.exported import FoldedModel
from rootflow.exported.checking import check_content
from rootflow.exported.folds import TABLE
from whole_lines import (
    CROSS_SECTIONS,
    CUTS,
    FOLDS,
    HELD_OUT,
    L2,
    LABELS,
    LUMINOSITY,
    PRECISIONS,
    SUM_OF_WEIGHTS,
    VARIATION,
    Line,
    artifacts,
    fetch,
    methods_of,
    whole_line,
    write_ntuples,
)

METRIC = {"ttbar": "assignment_accuracy", "dilepton": "auc", "h4l": "auc"}
VARIANTS = ("named", "flat", "athena")

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")


@pytest.fixture(scope="module")
def ntuples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ntuples")
    write_ntuples(folder)
    return folder


@pytest.fixture(scope="module", params=list(METRIC))
def line(
    request: pytest.FixtureRequest,
    ntuples: Path,
    empty_store: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Line]:
    """Take each analysis through the whole line, once for all rows."""
    directory = tmp_path_factory.mktemp(request.param)
    (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{directory / 'mlflow.db'}")
        yield whole_line(request.param, ntuples)


def dataset_of(line: Line) -> Dataset:
    from rootflow.steps import made

    return made.dataset_of(line.config)


def onnx_files(line: Line) -> dict[tuple[str, str], list[Path]]:
    """Return the files of each target and precision that the first line has exported."""
    found: dict[tuple[str, str], list[Path]] = {}
    for name, paths in line.every.facts.items():
        if name.startswith("onnx") and name != "onnx_all_folds":
            for path in map(Path, paths):
                contract = check_content(path.read_bytes(), str(path))
                found.setdefault((contract.variant, contract.precision), []).append(path)
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def figures_and_report_are_drawn_again(line: Line) -> None:
    drawn = line.folder / "drawn"
    names = {path.name for path in (drawn / "figures").iterdir()}
    assert names
    assert names == set(artifacts(line, "every", "figures"))
    assert "<html" in (drawn / "report.html").read_text()


def tables_are_csv_and_latex(line: Line) -> None:
    names = artifacts(line, "every", "tables")
    written = {Path(name).stem for name in names}
    assert written
    assert {f"{name}.{suffix}" for name in written for suffix in ("csv", "tex")} == set(names)
    some = min(written)
    folder = fetch(line, "every", (f"tables/{some}.csv", f"tables/{some}.tex"))
    [found] = folder.rglob(f"{some}.csv")
    assert rows_of(found)
    assert r"\begin{tabular}" in found.with_suffix(".tex").read_text()


def systematic_weights_shift_what_is_found(line: Line) -> None:
    if line.analysis == "ttbar":
        [path] = fetch(line, "every", ("unfolding.json",)).rglob("unfolding.json")
        assert f"network/mtt/{VARIATION}/migration" in json.loads(path.read_text())
        return
    [path] = fetch(line, "every", ("tables/systematics.csv",)).rglob("systematics.csv")
    assert any(VARIATION in row.values() for row in rows_of(path))


def files_of_fewer_bits_are_exported_with_their_physics(line: Line) -> None:
    found = onnx_files(line)
    assert {precision for _, precision in found} == set(PRECISIONS)
    table = json.loads((Path(line.every.facts["onnx_all_folds"]).parent / TABLE).read_text())
    rows = {(row["fold"], row["precision"]) for row in table["precision"]}
    assert rows == {(fold, bits) for fold in range(FOLDS) for bits in PRECISIONS[1:]}


def headers_of_cplusplus_are_written(line: Line) -> None:
    for run in ("every", "single"):
        exported = {
            path.name: path for path in Path(getattr(line, run).facts["cplusplus"]).iterdir()
        }
        again = {path.name: path for path in (line.folder / f"cplusplus_{run}").iterdir()}
        assert set(again) == set(exported)
        headers = [name for name in exported if name.endswith(".hpp")]
        assert headers
        for name in headers:
            assert again[name].read_text() == exported[name].read_text()


def flat_and_athena_files_are_exported(line: Line) -> None:
    found = onnx_files(line)
    assert set(found) == {(kind, bits) for kind in VARIANTS for bits in PRECISIONS}
    assert all(len(paths) == FOLDS for paths in found.values())


def ensembles_and_models_from_elsewhere_are_evaluated(line: Line) -> None:
    metric = METRIC[line.analysis]
    said = methods_of(line.single, metric)
    assert {"trees", "elsewhere", "both"} <= set(said)
    assert said["elsewhere"] == methods_of(line.frozen, metric)["network"]


def one_fold_or_every_fold_is_held_out(line: Line) -> None:
    assert line.every.facts["folds"] == f"{FOLDS}, each held out"
    assert line.single.facts["fold"] == f"{HELD_OUT} of {FOLDS}"
    assert 0 < line.single.facts["events"] < line.every.facts["events"]
    model = FoldedModel(Path(line.every.facts["onnx_all_folds"]))
    assert set(model.held_out) == set(range(FOLDS))
    assert set(FoldedModel(Path(line.single.facts["onnx"])).held_out) == {HELD_OUT}


def two_runs_are_compared(line: Line) -> None:
    models = {row["model"].partition(":")[0] for row in line.compared.tables["models"]}
    assert {"trees", "network"} <= models
    files = {path.name for path in (line.folder / "compared").iterdir()}
    assert {"comparison.png", "models.csv", "models.tex"} <= files


def trigger_and_identification_are_cuts(line: Line) -> None:
    for sample in dataset_of(line).manifest.samples:
        left = {cut.name: cut.events for cut in sample.cutflow}
        before = list(left.values())[list(left).index(next(iter(CUTS))) - 1]
        trigger, identified = (left[name] for name in CUTS)
        assert before > trigger > identified > 0


def samples_have_their_cross_sections(line: Line) -> None:
    dataset = dataset_of(line)
    for sample in dataset.manifest.samples:
        if sample.name != "collisions":
            assert sample.normalisation is not None
            factor = CROSS_SECTIONS[sample.name] * LUMINOSITY * 1000 / SUM_OF_WEIGHTS
            assert sample.normalisation.factor == pytest.approx(factor)


def collisions_are_in_figures(line: Line) -> None:
    content = (fetch(line, "every", ("evaluation.json",)) / "evaluation.json").read_text()
    [collisions] = [each for each in json.loads(content)["processes"] if each["kind"] == "data"]
    assert collisions["name"] == "collisions"
    assert collisions["events"] > 0
    wanted = "collisions_mtt_network" if line.analysis == "ttbar" else "observable"
    assert {f"{wanted}.png", f"{wanted}.pdf"} <= set(artifacts(line, "every", "figures"))


def boosted_trees_are_trained_and_exported(line: Line) -> None:
    assert line.single.metrics[f"{METRIC[line.analysis]}/trees"] > 0
    model = onnx.load(line.single.facts["onnx"])
    assert any(node.op_type.startswith("TreeEnsemble") for node in model.graph.node)


def networks_have_penalties_and_batch_normalisation(line: Line) -> None:
    import keras

    from rootflow.steps.made import trainings_of
    from rootflow.training.record import load_fitted

    for directory in trainings_of(line.config):
        layers = list(load_fitted(directory)._flatten_layers())
        assert any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers)
    analysis, folds = analysis_named(line.analysis), line.config.data.folds.in_turn()[0]
    task = analysis.make_task(dataset_of(line), line.config, folds)
    task.build()
    network = task.network
    kernels = [weight for weight in network.trainable_weights if "kernel" in weight.name]
    squares = sum(float(np.sum(np.square(weight))) for weight in kernels)
    assert float(sum(network.losses)) == pytest.approx(L2 * squares, rel=1e-3)


def models_look_at_the_chosen_inputs(line: Line) -> None:
    chosen = {name: tuple(features) for name, features in (line.config.inputs or {}).items()}
    contract = FoldedModel(Path(line.every.facts["onnx_all_folds"])).contract
    assert {name: tuple(features) for name, features in contract.uses.items()} == chosen


ROWS: tuple[Callable[[Line], None], ...] = (
    figures_and_report_are_drawn_again,
    tables_are_csv_and_latex,
    systematic_weights_shift_what_is_found,
    files_of_fewer_bits_are_exported_with_their_physics,
    headers_of_cplusplus_are_written,
    flat_and_athena_files_are_exported,
    ensembles_and_models_from_elsewhere_are_evaluated,
    one_fold_or_every_fold_is_held_out,
    two_runs_are_compared,
    trigger_and_identification_are_cuts,
    samples_have_their_cross_sections,
    collisions_are_in_figures,
    boosted_trees_are_trained_and_exported,
    networks_have_penalties_and_batch_normalisation,
    models_look_at_the_chosen_inputs,
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_every_analysis_has_it(line: Line, row: Callable[[Line], None]) -> None:
    assert set(LABELS) == set(METRIC)
    row(line)
