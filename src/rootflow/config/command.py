"""The configuration in a command of rootflow that is to run later, elsewhere."""

import argparse
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rootflow.config.load import Config, load
from rootflow.errors import UsageError

PROGRAM = "rootflow"
ENDS = {"&&", "||", ";", "|", "&"}


def configured(path: Path, settings: Sequence[str], overrides: str) -> Config:
    """Return the checked configuration of a YAML and of key.path=value words.

    `overrides` are more of them, in one word, as `mlflow run` has them.
    """
    try:
        more = shlex.split(overrides)
    except ValueError as error:
        raise UsageError(f"--overrides {overrides!r}: {error}") from None
    return load(path, [*settings, *more])


def check_command(command: str, folder: Path) -> list[Path]:
    """Check the configurations that a shell's `command`, to run in `folder`, gives to rootflow.

    Return the folders and files that it will write to. Where it cannot be told what rootflow is
    given, that is left to rootflow itself.
    """
    written = []
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--overrides", default="")
    for words in _calls(command):
        try:
            given, others = parser.parse_known_args(words)
        except argparse.ArgumentError:
            continue
        path = folder / given.config if given.config is not None else None
        if path is not None and path.is_file() and "$" not in " ".join(words):
            settings = [word for word in others if "=" in word and not word.startswith("-")]
            written.append(configured(path, settings, given.overrides).output)
        elif words[:1] == ["apply"]:
            written.append(Path(words[-1]))
    return [folder / each for each in written]


def _calls(command: str) -> Iterator[list[str]]:
    """Yield what stands behind each `rootflow` or `python -m rootflow`."""
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return
    call: list[str] | None = None
    for place, word in enumerate(words):
        if word in ENDS:
            if call is not None:
                yield call
            call = None
        elif call is not None:
            call.append(word)
        elif Path(word).name == PROGRAM and (
            place == 0 or words[place - 1] in {*ENDS, "-m"} or "=" in words[place - 1]
        ):
            call = []
    if call is not None:
        yield call
