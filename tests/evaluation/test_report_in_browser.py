"""The report in a real browser: tables sort, figures enlarge, nothing is fetched."""

from pathlib import Path
from typing import Any

import pytest

from browser import used
from rootflow.evaluation import draw_histories
from rootflow.evaluation.reconstruction import Evaluation, write_report

USE = """
function use() {
  const table = document.querySelector("table.sortable");
  const column = (place) => [...table.tBodies[0].rows].map((row) => row.cells[place].textContent);
  const head = (place) => table.tHead.rows[0].cells[place];
  const found = { before: column(1) };
  head(1).click();
  found.rising = column(1);
  found.sorted_by = head(1).getAttribute("aria-sort");
  head(1).click();
  found.falling = column(1);
  head(0).dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
  found.names = column(0);
  head(6).click();
  found.with_missing = column(6);
  const image = document.querySelector("figure img");
  const dialog = document.getElementById("enlarged");
  found.natural_width = image.naturalWidth;
  found.width = image.getBoundingClientRect().width;
  image.click();
  found.opened = dialog.open;
  found.same_image = dialog.querySelector("img").src === image.src;
  found.window_width = innerWidth;
  found.enlarged_width = dialog.querySelector("img").getBoundingClientRect().width;
  dialog.click();
  found.closed = !dialog.open;
  found.fetched = performance.getEntriesByType("resource")
    .map((entry) => entry.name).filter((name) => !name.startsWith("data:"));
  found.links = [...document.querySelectorAll("nav a")]
    .map((link) => document.getElementById(link.hash.slice(1)) !== null);
  return found;
}
"""


@pytest.fixture(scope="module")
def found(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("report")
    figures = draw_histories([[{"training_loss": 1.0}]], directory / "history.png")
    report: Path = directory / "report.html"
    write_report(evaluation, figures, {"dataset": "0123abc"}, report)
    return used(report, directory, USE)


def numbers(cells: list[str]) -> list[float]:
    return [float(cell.split(" ")[0]) for cell in cells]


def test_tables_sort_by_the_column_that_is_clicked(found: dict[str, Any]) -> None:
    assert "failures" not in found, found
    assert numbers(found["rising"]) == sorted(numbers(found["before"]))
    assert numbers(found["before"]) != numbers(found["rising"])
    assert found["sorted_by"] == "ascending"
    assert numbers(found["falling"]) == numbers(found["rising"])[::-1]
    assert found["names"] == sorted(found["names"])


def test_what_is_not_there_is_last(found: dict[str, Any]) -> None:
    missing = [cell == "–" for cell in found["with_missing"]]  # noqa: RUF001
    assert any(missing)
    assert missing == sorted(missing)


def test_figures_enlarge_on_click(found: dict[str, Any]) -> None:
    assert found["natural_width"] > 100  # the figure is in the page
    assert found["opened"]
    assert found["same_image"]
    assert found["enlarged_width"] > max(found["width"], 0.9 * found["window_width"])
    assert found["closed"]


def test_page_needs_no_network_and_its_links_lead_somewhere(found: dict[str, Any]) -> None:
    assert found["fetched"] == []
    assert found["links"]
    assert all(found["links"])
