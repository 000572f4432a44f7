"""YAML that nobody should write: one line each, wherever it is read."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rootflow.config import load
from rootflow.config.batch import load_profile
from rootflow.config.load import parse_yaml
from rootflow.errors import UsageError
from rootflow.ntuple import load_branch_map

TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(10 * ['*' + below])}]\n"
    for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200))
REFUSED = {
    "2024-02-30": "found a value that is no timestamp",
    "9" * 5000: "found a value that is no int",
    "!!int ''": "found a value that is no int",
    "!!float x": "found a value that is no float",
    "!!bool maybe": "found a value that is no bool",
    "!!timestamp soon": "found a value that is no timestamp",
    "!!python/object/apply:os.system ['true']": "could not determine a constructor",
    "!unknown 1": "could not determine a constructor",
    "=": "could not determine a constructor",
    "? [a]\n: 1": "found unhashable key",
    "{a: 1, a: 2}": "found the key 'a' a second time",
    "[" * 100_000: "more than 100 lists and mappings within one another",
    "- " * 100_000: "more than 100 lists and mappings within one another",
    "{a: " * 200 + "}" * 200: "more than 100 lists and mappings within one another",
    BOMB: "more than 100,000 values",
    CHAIN: "more than 100 lists and mappings within one another",
    "&a [*a]": "an alias of what it is in",
    "*nobody": "found undefined alias",
    "a\x00b": "control characters are not allowed",
    "\udcff": "surrogates not allowed",
    "[1": "did not find expected",
}


def _is_one_line(read: Callable[[], object], says: str) -> None:
    with pytest.raises(UsageError) as failure:
        read()
    assert says in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(("text", "says"), REFUSED.items(), ids=lambda text: ascii(text)[:30])
def test_what_yaml_refuses_is_one_line(text: str, says: str) -> None:
    _is_one_line(lambda: parse_yaml(text, "here"), says)
    _is_one_line(lambda: load(TTBAR, [f"seed={text}"]), says)


def test_plain_yaml_is_read_with_its_aliases() -> None:
    text = "a: &a {b: 1, c: 2024-02-29}\nd: {<<: *a, b: 1.5}\ne: [*a, ~, yes]\n"
    said = parse_yaml(text, "here")
    assert said["d"] == {"b": 1.5, "c": said["a"]["c"]}
    assert said["e"] == [said["a"], None, True]
    assert parse_yaml("", "here") is None


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    signal.alarm(seconds)  # ends the test, where it waits for ever
    yield
    signal.alarm(0)


@pytest.mark.parametrize(
    "read",
    [
        load,
        load_profile,
        lambda path: load_branch_map(str(path)),
    ],
    ids=["configuration", "profile", "map"],
)
def test_a_file_is_read_as_an_override_is(tmp_path: Path, read: Callable[[Path], object]) -> None:
    path = tmp_path / "file.yaml"
    for text, says in REFUSED.items():
        path.write_bytes(text.encode(errors="surrogateescape"))
        _is_one_line(lambda: read(path), "not UTF-8" if "surrogates" in says else says)
    path.unlink()
    os.mkfifo(path)
    with _at_most(10):
        _is_one_line(lambda: read(path), "it is a device or a pipe, not a file")
    path.unlink()
    path.symlink_to("/dev/zero")
    with _at_most(10):
        _is_one_line(lambda: read(path), "it is a device or a pipe, not a file")
    _is_one_line(lambda: read(Path("a\0b.yaml")), "no file can have such a name")


def test_a_path_of_an_override_may_be_long() -> None:
    _is_one_line(lambda: load(TTBAR, ["a." * 50_000 + "b=1"]), "a: unknown key")
