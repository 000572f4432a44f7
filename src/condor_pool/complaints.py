"""What daemons complain of in their logs."""

import re
from collections.abc import Sequence
from pathlib import Path

TROUBLE = re.compile(
    r"\b(error|failed|failure|cannot|can't|unable|denied|refused|not permitted|no such|invalid"
    r"|timed out|timeout|exited with status [1-9]|died)\b",
    re.IGNORECASE,
)
# Said by every pool as it starts.
USUAL = re.compile(
    r"shared_port_ad|SharedPortServer|Daemon Log is logging|Log last touched"
    r"|0 failed to load|HibernationSupportedStates"
)
STAMP = re.compile(r"^[\d/]+ [\d:.]+ (\(pid:\d+\) )?")


class Complaints:
    """The logs of daemons from the moment this is made."""

    def __init__(self, logs: Sequence[Path]) -> None:
        self._sizes = {log: log.stat().st_size if log.exists() else 0 for log in logs}

    def since(self) -> list[str]:
        """Return the last line of trouble of each log, with the log's name."""
        found = []
        for log, size in self._sizes.items():
            trouble = [line for line in _lines(log, size) if _is_trouble(line)]
            if trouble:
                found.append(f"{log.name}: {STAMP.sub('', trouble[-1]).strip()}")
        return found


def _lines(log: Path, offset: int) -> list[str]:
    if not log.exists():
        return []
    with log.open("rb") as stream:
        stream.seek(offset)
        return stream.read().decode(errors="replace").splitlines()


def _is_trouble(line: str) -> bool:
    return bool(TROUBLE.search(line)) and not USUAL.search(line)
