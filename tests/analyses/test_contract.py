"""Analyses are objects in one place: rooms know none of them, nor does one another."""

import ast
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from rootflow.analysis import GROUP, Analysis, analysis_named
from rootflow.errors import UsageError

PACKAGE = Path(__file__).parents[2] / "src" / "rootflow"
OWN = PACKAGE / "analyses"
MOST_LINES = 300


def _names() -> list[str]:
    return [
        name for name in sorted(entry_points(group=GROUP).names) if (OWN / f"{name}.py").exists()
    ]


@pytest.mark.parametrize("name", _names())
def test_an_analysis_is_found_by_its_name(name: str) -> None:
    found = analysis_named(name)
    assert isinstance(found, Analysis)
    assert found.name == name
    assert type(found).__module__ == f"rootflow.analyses.{name}"


@pytest.mark.parametrize("name", _names())
def test_an_analysis_is_short_and_no_other_file_knows_it(name: str) -> None:
    lines = (OWN / f"{name}.py").read_text().splitlines()
    assert len(lines) <= MOST_LINES
    defined = {
        node.name
        for node in ast.walk(ast.parse("\n".join(lines)))
        if isinstance(node, ast.ClassDef)
    }
    # Others are made of it: it is the general one.
    allowed = {OWN / f"{name}.py"}
    for path in set(PACKAGE.rglob("*.py")) - allowed:
        tree = ast.parse(path.read_text())
        imported = [
            (node.module, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        ]
        assert not [module for module, _ in imported if module == f"rootflow.analyses.{name}"], (
            f"{path} imports {name}"
        )
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not used & defined, f"{path} uses {used & defined}"


def test_no_room_knows_an_analysis_by_its_name() -> None:
    """Processes and maps have names of their own, some the same: strings that choose count."""
    names = set(_names()) - {"classification"}  # which is a task, too
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        if OWN in path.parents or path.is_relative_to(PACKAGE / "simulation"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Compare):
                continue
            compared = [node.left, *node.comparators]
            parts = [part for each in compared for part in ast.walk(each)]
            wrong += [
                f"{path.relative_to(PACKAGE)}: {ast.unparse(node)}"
                for part in parts
                if isinstance(part, ast.Constant) and part.value in names
            ]
    assert wrong == []


def test_an_unknown_analysis_is_told_the_known() -> None:
    with pytest.raises(UsageError) as error:
        analysis_named("h5l")
    assert "'h5l' is none of" in str(error.value)
    assert all(name in str(error.value) for name in _names())


BROKEN = {
    "missing": ("nowhere_to_be_found:Mine", "No module named 'nowhere_to_be_found'"),
    "renamed": ("broken_analyses:Mien", "has no attribute 'Mien'"),
    "failing": ("broken_on_import:Mine", "SyntaxError"),
    "number": ("broken_analyses:NUMBER", "TypeError"),
    "other": ("broken_analyses:Other", "with the name 'other' and a config"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_analysis_is_told_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, reason = BROKEN[name]
    information = tmp_path / "broken-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {place}\n")
    (tmp_path / "broken_analyses.py").write_text("NUMBER = 3\nclass Other: pass\n")
    (tmp_path / "broken_on_import.py").write_text("class Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError) as error:
        analysis_named(name)
    said = str(error.value)
    assert said.startswith(f"the analysis {name} of {place} is broken: ")
    assert reason in said
    assert "\n" not in said
