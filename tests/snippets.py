"""The code blocks of README.md and docs/, as a reader sees them."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[1]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
# In the block itself, where the reader sees it, with the reason.
NOT_TESTED = re.compile(r"^(?:#|//) not tested here: \S+", re.MULTILINE)
FENCE = re.compile(r"^( *)```(\w*)$")


class Block(NamedTuple):
    """A block of code: its page, the number of its first line, its language and its text.

    The language of a block that is indented, or says none, is `sh`.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def is_tested(self) -> bool:
        return NOT_TESTED.search(self.text) is None

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"

    def commands(self) -> list[list[str]]:
        """Return the words of each command, without comments."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in their order."""
    lines, name = page.read_text().splitlines(), str(page.relative_to(PROJECT))
    start = 0
    while start < len(lines):
        end = start + 1
        if fence := FENCE.match(lines[start]):
            while lines[end].strip() != "```":
                end += 1
            yield _block(name, start + 2, fence[2] or "sh", lines[start + 1 : end])
            end += 1
        elif lines[start].startswith("    ") and not lines[start - 1].strip():
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            yield _block(name, start + 1, "sh", lines[start:end])
        start = end


def _block(page: str, line: int, language: str, lines: list[str]) -> Block:
    return Block(page, line, language, textwrap.dedent("\n".join(lines)).strip() + "\n")


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
