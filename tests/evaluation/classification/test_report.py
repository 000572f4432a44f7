from pathlib import Path

import pytest

from html_page import Page
from rootflow.estimate import with_error
from rootflow.evaluation import draw_histories
from rootflow.evaluation.classification import ClassificationEvaluation, write_report
from rootflow.evaluation.classification.figures import described
from rootflow.evaluation.figures.stack import stack


@pytest.fixture
def page(classification: ClassificationEvaluation, tmp_path: Path) -> Page:
    figures = draw_histories(
        [[{"training_loss": 1.0}], [{"training_loss": 2.0}]], tmp_path / "sculpting_mine.png"
    )
    write_report(classification, figures, {"commit": "0123abc"}, tmp_path / "report.html")
    return Page(tmp_path / "report.html")


def test_page_needs_nothing_else(page: Page) -> None:
    assert len(page.sources) == 1
    assert page.sources[0].startswith("data:image/png;base64,iVBOR")
    assert all(link[0] == "#" and link[1:] in page.anchors for link in page.links)


def test_page_says_what_was_found(page: Page, classification: ClassificationEvaluation) -> None:
    for model in classification.models:
        assert model.name in page.texts
        assert with_error(model.ranking.auc) in page.texts
        assert with_error(model.best_cut.significance) in page.texts
    assert "Sculpting of m(4l): mine" in page.texts
    assert any("weighted to the number expected in 10 fb⁻¹" in text for text in page.texts)
    assert any("and 80 events of data" in text for text in page.texts)
    assert "0123abc" in page.texts


def test_page_says_which_events_count(
    classification: ClassificationEvaluation, tmp_path: Path
) -> None:
    windowed = classification._replace(significance_window=(105.0, 160.0))
    for number, evaluation in enumerate((classification, windowed)):
        path = tmp_path / f"{number}.html"
        write_report(evaluation, [], {}, path)
        said = any(
            "count only events with m(4l) from 105 to 160 GeV" in t for t in Page(path).texts
        )
        assert said is (evaluation is windowed)


def test_tables_have_a_cell_in_every_column(page: Page) -> None:
    assert len(page.tables) >= 7
    for rows in page.tables:
        assert len({len(row) for row in rows}) == 1


def test_what_is_said_of_data_is_said_where_there_is_some(
    classification: ClassificationEvaluation, tmp_path: Path
) -> None:
    without = classification._replace(
        processes=tuple(each for each in classification.processes if each.kind != "data")
    )
    for evaluation, said in ((classification, True), (without, False)):
        write_report(evaluation, [], {}, tmp_path / "report.html")
        text = (tmp_path / "report.html").read_text()
        assert ("Data is only looked at" in text) is said
        assert ("Data enters no expected number" in text) is said


def test_pseudo_data_are_called_so(
    classification: ClassificationEvaluation, tmp_path: Path
) -> None:
    pseudo = classification._replace(
        processes=tuple(
            each._replace(pseudo_data=each.kind == "data") for each in classification.processes
        )
    )
    write_report(pseudo, [], {}, tmp_path / "report.html")
    text = " ".join((tmp_path / "report.html").read_text().split())
    assert "80 events of pseudo-data, which is simulation that stands for collisions." in text
    assert "Pseudo-data is only looked at" in text
    figure = stack(described(pseudo), pseudo.spectrum, quantity="m(4l)")
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert "pseudo-data" in names
    assert "data" not in names


def test_p_values_at_the_limit_are_a_bound(
    page: Page, classification: ClassificationEvaluation
) -> None:
    assert classification.comparisons[0].p_value == 1 / 101
    assert "< 0.01" in page.texts
    assert not any("0.0099" in text for text in page.texts)
