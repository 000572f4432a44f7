"""Telling the runs of jobs what becomes of these: the teller of `rootflow.following`.

`python -m rootflow.tracking.telling` reads a message on each line and answers on one.
"""

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from mlflow.entities import LifecycleStage, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from rootflow.batch import Executor, State, executor_in
from rootflow.following.news import Answer, Message, News, Outcome, Question, as_line, messages
from rootflow.secrets import hidden
from rootflow.tracking import carried
from rootflow.tracking.connection import LOGIN, is_away, log_all, reason_of, set_up

TELLER = ("-m", "rootflow.tracking.telling")
JOB = "job"  # the folder of its logs among the artifacts
ENDED_ITSELF = ("FINISHED", "FAILED")
AT_ONCE = 4
RUNS_OF_A_QUESTION = 100
_READING = threading.Lock()  # an executor reads one log at a time
_BRINGING = threading.Lock()  # jobs of one project bring the same files


class Login:
    """What this process may use servers by: MLflow looks for it in the environment alone."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._now: dict[str, str] = {}
        self._users = 0

    @contextmanager
    def of(self, login: dict[str, str]) -> Iterator[None]:
        """Have this login until the block ends; blocks with another one wait."""
        with self._turn:
            self._turn.wait_for(lambda: self._users == 0 or self._now == login)
            if self._users == 0:
                for name in LOGIN:
                    os.environ.pop(name, None)
                os.environ.update(login)
            self._now, self._users = login, self._users + 1
        try:
            yield
        finally:
            with self._turn:
                self._users -= 1
                self._turn.notify_all()


_LOGIN = Login()


def main() -> None:
    """Tell what is read, several at a time, and answer each when it is told."""
    set_up()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for message in messages(sys.stdin):
            threads.submit(_answer, message)


def _answer(message: Message) -> None:
    sys.stdout.write(as_line(answer(message)))
    sys.stdout.flush()


def answer(message: Message) -> Answer:
    """Tell a run, or ask a server, and return what became of it."""
    about = message.job if isinstance(message, News) else message
    runs = [message.job.run_id] if isinstance(message, News) else []
    with _LOGIN.of(about.login):
        try:
            return _told(message) if isinstance(message, News) else _deleted(message)
        except (MlflowException, SQLAlchemyError, OSError) as error:
            outcome = Outcome.AWAY if is_away(error) else Outcome.REFUSED
            return Answer(runs, outcome, reason_of(error))
        except Exception as error:  # whatever it is, the job is to be followed to its end
            return Answer(runs, Outcome.REFUSED, hidden(repr(error)))


def _told(news: News) -> Answer:
    client, run_id = _client(news.job.tracking_uri), news.job.run_id
    if client.get_run(run_id).info.lifecycle_stage == LifecycleStage.DELETED:
        return Answer([run_id], Outcome.DELETED)
    tell(client, news)
    return Answer([run_id], Outcome.TOLD)


def tell(client: MlflowClient, news: News) -> None:
    """Have the run say where its job is; of one that has ended also what it said and used."""
    run_id = news.job.run_id
    tags = {f"htcondor.{name}": value for name, value in news.tags.items()}
    if not news.ended:
        status = client.get_run(run_id).info.status
        log_all(client, run_id, tags=[RunTag(*tag) for tag in tags.items()])
        # A step says so itself, shortly before its job ends.
        if news.state is not State.RUNNING or status not in ENDED_ITSELF:
            client.update_run(run_id, news.status)
        return
    with _BRINGING:
        carried.bring_home(news.job.folder / JOB)
    if news.job.spool is not None:
        carried.deliver(news.job.spool, run_id, client)
    with _READING:
        logs = _executor(news.job.executor_folder).logs(news.job.job_id)
    for name, text in logs._asdict().items():
        client.log_text(run_id, text, f"{JOB}/{name}.txt")
    for name, value in news.metrics.items():
        client.log_metric(run_id, f"{JOB}/{name}", value)
    log_all(client, run_id, tags=[RunTag(*tag) for tag in tags.items()])
    client.set_terminated(run_id, news.status)


def _deleted(question: Question) -> Answer:
    """Return which of the runs were deleted."""
    client, found = _client(question.tracking_uri), list[str]()
    for first in range(0, len(question.runs), RUNS_OF_A_QUESTION):
        names = ", ".join(f"'{run}'" for run in question.runs[first : first + RUNS_OF_A_QUESTION])
        wanted = f"attributes.run_id IN ({names})"
        runs = client.search_runs(question.experiments, wanted, ViewType.DELETED_ONLY)
        found += [run.info.run_id for run in runs]
    return Answer(found, Outcome.DELETED)


@cache
def _client(uri: str) -> MlflowClient:
    return MlflowClient(uri)


@cache
def _executor(folder: Path) -> Executor:
    return executor_in(folder)


if __name__ == "__main__":
    main()
