"""What an evaluation writes: predictions, histograms to unfold with, tables; and drawing again."""

import csv
import json
from pathlib import Path

import hist
import numpy as np
import pyarrow.parquet as pq
import pytest
import uhi.io.json
import uproot
from click.testing import CliRunner

from html_page import Page
from rootflow.cli import cli
from rootflow.config import EvaluationConfig
from rootflow.errors import InputError
from rootflow.estimate import PValue
from rootflow.evaluation import draw_evaluation
from rootflow.evaluation.reconstruction import Assessment, write_evaluation
from rootflow.evaluation.reconstruction.distributions import displays_of
from rootflow.evaluation.reconstruction.migration import unfolding_of, unfoldings
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.predictions import write_predictions
from rootflow.ntuple.columns import structured

NAMES = ["mtt", "c_hel"]


@pytest.fixture(scope="module")
def folder(assessment: Assessment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("evaluation")
    write_evaluation(assessment, NAMES, ["abc"], {"dataset": "0123"}, directory)
    return directory


def test_predictions_are_what_each_method_said(folder: Path, assessment: Assessment) -> None:
    table = pq.read_table(folder / "predictions.parquet")
    assert json.loads(table.schema.metadata[b"rootflow"]) == {"files": ["abc"]}
    found = table.to_pydict()
    sample = assessment.sample
    np.testing.assert_array_equal(found["event_number"], sample.events.event_number)
    np.testing.assert_array_equal(found["true_bbar"], sample.assignment[:, 1])
    for candidate in assessment.candidates:
        answers = candidate.answers
        np.testing.assert_array_equal(found[f"{candidate.name}_b"], answers.assignment[:, 0])
        np.testing.assert_array_equal(found[f"{candidate.name}_score"], answers.scores)
    network = assessment.candidates[0].answers
    np.testing.assert_array_equal(found["network_antineutrino_pz"], network.neutrinos[:, 1, 2])
    assert "m_lb_neutrino_px" not in found


def test_predictions_name_events_as_the_ntuple_does(assessment: Assessment, tmp_path: Path) -> None:
    sample = assessment.sample
    count = len(sample.events)
    events = sample.events.replace(
        event_number=np.arange(count, dtype=np.int64) - 5,
        identity=structured({"runNumber": np.arange(count) // 9}),
    )
    path = tmp_path / "predictions.parquet"
    write_predictions(assessment.candidates, sample._replace(events=events), ["abc"], path)
    table = pq.read_table(path)
    np.testing.assert_array_equal(table["event_number"].to_numpy(), events.event_number)
    np.testing.assert_array_equal(table["identity_runNumber"].to_numpy(), np.arange(count) // 9)
    candidate = next(each for each in assessment.candidates if each.decay is not None)
    shown = displays_of(candidate, sample._replace(events=events), 1)
    assert {one.event for one in shown} <= {events.in_words(place) for place in range(count)}
    assert all("(runNumber " in one.event for one in shown)


def test_histograms_are_the_same_in_root_and_json(folder: Path, assessment: Assessment) -> None:
    saved = json.loads((folder / "unfolding.json").read_text(), object_hook=uhi.io.json.object_hook)
    made = unfoldings(NAMES, assessment.candidates, assessment.sample)
    assert saved.keys() == made.keys()
    with uproot.open(folder / "unfolding.root") as file:
        for name, expected in made.items():
            assert hist.Hist(saved[name]) == expected
            from_root = file[name].to_hist()
            np.testing.assert_allclose(from_root.values(flow=True), expected.values(flow=True))
            np.testing.assert_allclose(from_root.variances(), expected.variances())


def test_response_and_corrections_fold_the_truth_to_what_is_reconstructed(
    assessment: Assessment,
) -> None:
    sample = assessment.sample
    found = unfolding_of(OBSERVABLES["mtt"], assessment.candidates[0], sample, sample.events.weight)
    folded = found.truth.values() @ found.response.values()
    expected = found.reconstructed.values() * found.fiducial.values()
    np.testing.assert_allclose(folded, expected)
    np.testing.assert_allclose(found.response.values().sum(axis=1), found.efficiency.values())
    # Of events of weight one the variance of a share is binomial.
    share, events = found.efficiency.values(), found.truth.values()
    np.testing.assert_allclose(found.efficiency.variances(), share * (1 - share) / events)


def test_a_systematic_weight_has_a_matrix_of_its_own(assessment: Assessment) -> None:
    events = assessment.sample.events
    varied = structured({"up": 2 * events.weight, "down": events.weight})
    sample = assessment.sample._replace(events=events.replace(systematic_weights=varied))
    made = unfoldings(["mtt"], assessment.candidates[:1], sample)
    assert {name.split("/")[2] for name in made} == {"nominal", "up", "down"}
    np.testing.assert_allclose(
        made["network/mtt/up/migration"].values(), 2 * made["network/mtt/down/migration"].values()
    )


def test_tables_are_csv_and_latex(folder: Path, assessment: Assessment) -> None:
    with (folder / "tables" / "assignment.csv").open() as file:
        rows = list(csv.DictReader(file))
    metrics = assessment.evaluation.methods[0].metrics["assignment_accuracy"]
    assert rows[0]["method"] == "network"
    assert float(rows[0]["both right"]) == metrics.value
    assert float(rows[0]["both right error"]) == metrics.error
    values = {
        (each.metric, each.other): each.p_value
        for each in assessment.evaluation.comparisons
        if each.name == "network"
    }
    for name, metric in (("assignment", "assignment_accuracy"), ("mtt", "mtt_resolution")):
        with (folder / "tables" / f"{name}.csv").open() as file:
            beaten = {row["method"]: row["p, network no better"] for row in csv.DictReader(file)}
        assert beaten.pop("network") == ""
        assert beaten == {
            other: str(PValue(value, assessment.evaluation.replicas))
            for (of, other), value in values.items()
            if of == metric
        }
    latex = (folder / "tables" / "assignment.tex").read_text()
    assert r"delta\_r & $" in latex
    assert r" \pm " in latex
    assert latex.isascii()
    names = {path.stem for path in (folder / "tables").iterdir()}
    assert {"gain_assignment_accuracy", "gain_mtt_resolution", "observables", "cost"} <= names


def test_figures_and_report_are_drawn_again_by_a_command(folder: Path, tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        cli, ["draw", str(folder), "--style", "ATLAS", "--output", str(tmp_path / "again")]
    )
    assert answer.exit_code == 0, answer.output
    assert (tmp_path / "again" / "figures" / "observable_mtt.pdf").is_file()
    page = Page(tmp_path / "again" / "report.html")
    assert "0123" in page.texts
    assert len(page.sources) == len(list((tmp_path / "again" / "figures").glob("*.png")))


def test_a_folder_without_an_evaluation(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        draw_evaluation(tmp_path, "neutral")


def test_default_observables_exist() -> None:
    config = EvaluationConfig()
    assert {*config.drawn, *config.unfold} <= set(OBSERVABLES)
