"""A clone stands alone: nothing in it names a path that leaves it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
FOLDERS = (
    *(".ci", "benchmarks", "condor", "configs", "data", "docs", "findings", "notebooks"),
    *("scripts", "src", "tests"),
)
BINARY = {".root", ".pyc", ".png", ".onnx", ".npz", ".keras", ".skops"}
# What is relative to another place, in .venv or a folder of a test, or is thrown at rootflow.
ELSEWHERE = {
    "scripts/setup.sh": "../../../../src",
    "tests/mutations.py": "../..",
    "tests/test_snippets.py": "../../../",
}

UPWARDS = re.compile(r"(?:\.\./)*\.\.(?:/|(?=[\"'\s)]))")
PARENTS = re.compile(r"__file__\)(?:\.resolve\(\))?\.parents\[(\d+)\]((?:\.parent\b)*)")
ABOVE = re.compile(r"\b(?:PROJECT|REPOSITORY)\.parent|\.\./shared\b")


def leaving(text: str, depth: int) -> Iterator[str]:
    """Yield what leaves the project in the text of a file that is so many folders deep."""
    for found in UPWARDS.finditer(text):
        if found[0].count("..") > depth:
            yield found[0]
    for found in PARENTS.finditer(text):
        if int(found[1]) + found[2].count(".parent") > depth:
            yield found[0]
    yield from ABOVE.findall(text)


def test_no_file_names_a_path_that_leaves_the_project() -> None:
    files = [path for path in PROJECT.iterdir() if path.is_file()]
    files += [path for name in FOLDERS for path in (PROJECT / name).rglob("*") if path.is_file()]
    named = []
    for path in files:
        name = path.relative_to(PROJECT).as_posix()
        if path.suffix in BINARY or path == Path(__file__) or ".db" in path.name:
            continue
        text = path.read_text(errors="replace").replace(ELSEWHERE.get(name, "\0"), "")
        named += [f"{name}: {found}" for found in leaving(text, name.count("/"))]
    assert named == []
    assert len(files) > 500


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ('DATA = Path(__file__).parents[3] / "shared"', 2),
        ("DATA = Path(__file__).resolve().parents[1].parent", 1),
        ('SHARED = PROJECT.parent / "shared"', 1),
        ("uproot.open('../shared/data/a.root')", 2),
        ("uproot.open('../data/a.root')", 0),
        ("base: ../../../elsewhere.yaml", 2),
        ('cd "$(dirname "$0")/../.."', 1),
    ],
)
def test_a_path_that_leaves_the_project_is_seen(text: str, depth: int) -> None:
    assert list(leaving(text, depth))
