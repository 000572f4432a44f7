"""What an HTCondor executor must remember, in its folder."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from rootflow.batch.contract import Job, as_text, from_text
from rootflow.files import whole_file


@dataclass(frozen=True)
class Remedy:
    """What to do: leave, release or give up; the rest is what to ask for from now on, in GiB."""

    action: str
    explanation: str = ""
    memory_gib: float | None = None
    disk_gib: float | None = None

    def changes(self) -> dict[str, float]:
        """Return the words of JobConfig that change."""
        asked = {"memory_gib": self.memory_gib, "disk_gib": self.disk_gib}
        return {word: gib for word, gib in asked.items() if gib is not None}


@dataclass(frozen=True)
class Taken:
    """A decision about the n-th hold of a job."""

    job_id: str
    hold: int
    decision: Remedy


_TAKEN = TypeAdapter(Taken)


class JobLedger:
    """Submissions, written before the jobs are handed over, and decisions about held jobs.

    A submission's name, its token, is made here and travels with its jobs, so a submission that
    was cut off in the middle is told from one that happened. A job's id is TOKEN.NUMBER.
    """

    def __init__(self, folder: Path) -> None:
        self._submissions = folder / "submissions"
        self._decisions = folder / "decisions.jsonl"
        self._submissions.mkdir(parents=True, exist_ok=True)
        self._jobs: dict[str, list[Job]] = {}
        self._taken: dict[str, list[Taken]] = {}
        self._read_size = 0

    def plan(self, jobs: Sequence[Job]) -> str:
        """Keep the jobs of a submission to be made, and return its name."""
        token = uuid.uuid4().hex[:12]
        with whole_file(self._submissions / f"{token}.jsonl") as partial:
            partial.write_text("".join(f"{as_text(job)}\n" for job in jobs))
        return token

    def confirm(self, token: str, cluster: int) -> None:
        """Note that the submission was made."""
        with whole_file(self._submissions / f"{token}.cluster") as partial:
            partial.write_text(str(cluster))

    def withdraw(self, token: str) -> None:
        """Forget a submission that was not made."""
        (self._submissions / f"{token}.jsonl").unlink()

    def clusters(self) -> dict[str, int | None]:
        """Return the cluster of each submission in the order of time, None where not noted."""
        planned = sorted(self._submissions.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
        noted = {path.stem: path.with_suffix(".cluster") for path in planned}
        return {
            token: int(path.read_text()) if path.exists() else None for token, path in noted.items()
        }

    def jobs(self, token: str) -> list[Job]:
        """Return the jobs of a submission."""
        if token not in self._jobs:
            lines = (self._submissions / f"{token}.jsonl").read_text().splitlines()
            self._jobs[token] = [from_text(line) for line in lines]
        return self._jobs[token]

    def job(self, job_id: str) -> Job:
        """Return one job of a submission, with what it was submitted to need."""
        token, number = job_id.split(".")
        return self.jobs(token)[int(number)]

    def cluster(self, token: str) -> int:
        """Return the cluster of a submission that was made."""
        return int((self._submissions / f"{token}.cluster").read_text())

    def name(self, job_id: str) -> str:
        """Return what HTCondor calls a job."""
        token, number = job_id.split(".")
        return f"{self.cluster(token)}.{number}"

    def taken(self, job_id: str) -> list[Taken]:
        """Return the decisions about one job in the order of time."""
        return self.decisions().get(job_id, [])

    def has(self, job_id: str) -> bool:
        """Return whether the job's submission is one of these."""
        token = job_id.split(".")[0]
        return token in self._jobs or (self._submissions / f"{token}.jsonl").exists()

    def note(self, job_id: str, hold: int, decision: Remedy) -> None:
        """Keep a decision about the n-th hold of a job."""
        with self._decisions.open("a") as stream:
            stream.write(_TAKEN.dump_json(Taken(job_id, hold, decision)).decode() + "\n")

    def decisions(self) -> dict[str, list[Taken]]:
        """Return all decisions by job, those of each in the order of time."""
        size = self._decisions.stat().st_size if self._decisions.exists() else 0
        if size != self._read_size:
            self._taken = defaultdict(list)
            for line in self._decisions.read_text().splitlines():
                taken = _TAKEN.validate_json(line)
                self._taken[taken.job_id].append(taken)
            self._read_size = size
        return self._taken
