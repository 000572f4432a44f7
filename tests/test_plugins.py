"""Code of one's own by name: found, refused in one line, and part of the name of an answer."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rootflow import sources
from rootflow.config.plugin import dotted
from rootflow.errors import UsageError
from rootflow.plugins import resolve, source_digest

WHAT = "model.architecture"
NETS = """
from . import layers
import toy_plugin.more.deep
SIZE = 3
class Nested:
    @staticmethod
    def build(): return layers.WIDTH
def build(): return layers.WIDTH + SIZE
"""
Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Yield a function that writes a file of an installed package `toy_plugin`."""

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    write("toy_plugin/__init__.py", "")
    write("toy_plugin/nets.py", NETS)
    write("toy_plugin/layers.py", "WIDTH = 1")
    write("toy_plugin/broken.py", "import toy_plugin.absent")
    write("toy_plugin/failing.py", "1 / 0")
    write("toy_plugin/unused.py", "")
    write("toy_plugin/more/__init__.py", "")
    write("toy_plugin/more/deep.py", "")
    write(
        "toy_plugin-1.dist-info/entry_points.txt",
        "[rootflow.architectures]\ntoy = toy_plugin.nets:build\n",
    )
    write("toy_plugin-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy_plugin\nVersion: 1")
    monkeypatch.syspath_prepend(tmp_path)
    yield write
    for name in [name for name in sys.modules if name.startswith("toy_plugin")]:
        del sys.modules[name]


@pytest.mark.usefixtures("write")
def test_a_dotted_name_and_an_entry_point_are_found() -> None:
    assert resolve("toy_plugin.nets:build", WHAT)() == 4
    assert resolve("toy_plugin.nets:Nested.build", WHAT)() == 1
    assert dotted("toy", WHAT) == "toy_plugin.nets:build"
    assert resolve("toy", WHAT)() == 4


@pytest.mark.usefixtures("write")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such:build", "there is no module 'no_such': install its package here"),
        ("toy_plugin.no_such:build", r"there is no module 'toy_plugin\.no_such'"),
        ("toy_plugin.broken:build", "importing toy_plugin.broken failed: No module named"),
        ("toy_plugin.failing:build", "failed: ZeroDivisionError: division by zero"),
        ("toy_plugin.nets:biuld", r"toy_plugin\.nets has no 'biuld': did you mean build\?"),
        ("toy_plugin.nets:SIZE", "is of type int: name a function or a class"),
        ("toy_plugin/nets.py:build", r"write package\.module:attribute"),
        ("tou", r"no entry point of the group rootflow\.architectures \(installed: toy\)"),
    ],
)
def test_what_cannot_be_had_is_one_line(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=rf"^model\.architecture: .*{said}") as caught:
        resolve(name, WHAT)
    assert "\n" not in str(caught.value)


def test_the_digest_is_of_all_modules_of_the_package_that_are_used(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_module", sources._module.__wrapped__)  # files are edited here
    monkeypatch.setattr(sources, "_definition", sources._definition.__wrapped__)
    before = source_digest("toy", WHAT)
    assert source_digest("toy_plugin.nets:build", WHAT) == before
    write("toy_plugin/unused.py", "changed = 1")
    write("toy_plugin/layers.py", "WIDTH = 1  # a comment")
    assert source_digest("toy", WHAT) == before
    names = {before}
    for file, text in (
        ("nets.py", f"{NETS}\nOTHER = 1"),
        ("layers.py", "WIDTH = 2"),
        ("__init__.py", "print()"),
        ("more/__init__.py", "print()"),
        ("more/deep.py", "DEEP = 1"),
    ):
        write(f"toy_plugin/{file}", text)
        names.add(source_digest("toy", WHAT))
    assert len(names) == 6
    with pytest.raises(UsageError, match="there is no module 'no_such'"):
        source_digest("no_such:build", WHAT)
