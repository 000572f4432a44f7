from pathlib import Path

import pytest

from html_page import Page
from rootflow.evaluation import Evaluation, draw_history, write_report
from rootflow.evaluation.page import with_error
from rootflow.evaluation.results import Estimate


@pytest.fixture
def page(evaluation: Evaluation, tmp_path: Path) -> Page:
    figures = draw_history([{"training_loss": 1.0}], tmp_path / "history.png")
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
