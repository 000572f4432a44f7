"""What an earlier process made, and this one finds again."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from rootflow.progress import say

STARTED = time.time()


def date_of(path: Path) -> str:
    """Return when a file was written: ISO 8601, UTC."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")


def say_found(step: str, what: str, paths: Sequence[Path]) -> None:
    """Say, once, which of the answers that these files belong to are there already, and of when."""
    found = [path for path in paths if path.exists() and path.stat().st_mtime < STARTED]
    if found:
        share = f" ({len(found)} of {len(paths)} folds)" if len(paths) > 1 else ""
        _say_once(f"{step}: {what} is found again{share}, made {max(map(date_of, found))}")


_say_once = cache(say)
