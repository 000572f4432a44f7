import re
from pathlib import Path

import pytest

from html_page import Page
from rootflow.estimate import Estimate, with_error
from rootflow.evaluation import draw_histories
from rootflow.evaluation.reconstruction import Evaluation, write_report
from rootflow.evaluation.reconstruction.figures import captions_of
from rootflow.evaluation.reconstruction.report import tables_of
from rootflow.table import write_tables


@pytest.fixture
def page(evaluation: Evaluation, tmp_path: Path) -> Page:
    figures = draw_histories([[{"training_loss": 1.0}]], tmp_path / "history.png")
    provenance = {"commit": "0123abc", "model": "<b>bold</b> & co"}
    write_report(evaluation, figures, provenance, tmp_path / "report.html")
    return Page(tmp_path / "report.html")


def test_page_needs_nothing_else(page: Page) -> None:
    assert len(page.sources) == 1  # the PNG; the PDF beside it is not shown
    assert all(source.startswith("data:image/png;base64,iVBOR") for source in page.sources)
    assert page.links
    assert all(link[0] == "#" and link[1:] in page.anchors for link in page.links)


def test_page_says_what_was_found(page: Page, evaluation: Evaluation) -> None:
    accuracy = evaluation.methods[0].metrics["assignment_accuracy"]
    assert with_error(accuracy) in page.texts
    assert any("its m(tt̄) is made with those of" in text for text in page.texts)
    assert "0123abc" in page.texts


def test_what_is_not_html_is_escaped(page: Page) -> None:
    assert "<b>bold</b> & co" in page.texts


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.71774, 0.00548), "0.7177 ± 0.0055"),
        (Estimate(33.2152, 0.2905), "33.22 ± 0.29"),
        (Estimate(1234.5, 45.6), "1234 ± 46"),
        (Estimate(-0.0067, 0.0024), "-0.0067 ± 0.0024"),
        (Estimate(1.0, 0.0), "1"),
        (None, "–"),  # noqa: RUF001
    ],
)
def test_value_and_error_end_at_the_same_digit(estimate: Estimate | None, text: str) -> None:
    assert with_error(estimate) == text


@pytest.mark.parametrize(
    ("true_leptons", "said", "not_said"),
    [
        (True, "the true top quarks, neutrinos and leptons.", "reconstructed leptons"),
        (
            False,
            "and of the reconstructed leptons, so what is called true",
            "neutrinos and leptons",
        ),
        (None, "", "The true decay is made"),
    ],
)
def test_definition_of_the_true_decay_is_that_of_the_events(
    true_leptons: bool | None, said: str, not_said: str, evaluation: Evaluation, tmp_path: Path
) -> None:
    write_report(evaluation._replace(true_leptons=true_leptons), [], {}, tmp_path / "report.html")
    text = " ".join((tmp_path / "report.html").read_text().split())
    assert said in text
    assert not_said not in text


def test_line_of_truth_is_told_of_where_it_is_drawn(evaluation: Evaluation) -> None:
    without = evaluation._replace(
        methods=tuple(method for method in evaluation.methods if method.name != "truth")
    )
    said = ["line of truth" in captions_of(each)["observable"][1] for each in (evaluation, without)]
    assert said == [True, False]


def test_p_values_at_the_limit_are_a_bound_in_every_table(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    limit = 1 / (1 + evaluation.replicas)
    assert any(each.p_value == limit for each in evaluation.comparisons)
    assert any(each.p_value_two_sided == 2 * limit for each in evaluation.comparisons)
    write_tables(tables_of(evaluation), tmp_path)
    write_report(evaluation, [], {}, tmp_path / "report.html")
    written = {path.suffix: path.read_text() for path in tmp_path.glob("comparisons.*")}
    assert "< 0.02,< 0.04" in written[".csv"]
    assert "$< 0.02$ & $< 0.04$" in written[".tex"]
    page = (tmp_path / "report.html").read_text()
    assert "(p &lt; 0.02; &lt; 0.04)" in page
    for text in (page, *written.values()):
        assert not re.search(rf"{limit:.4g}|{2 * limit:.4g}|{limit}|{2 * limit}|p = 0.02;", text)
