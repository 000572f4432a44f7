"""Optuna's study: where it is kept, and what it asks."""

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from rootflow.analysis import Answer
from rootflow.config import Config, TuningConfig, digest_of
from rootflow.errors import UsageError
from rootflow.sources import code_digest
from rootflow.tuning.space import make_pruner

QUESTION, DIRECTORY = "rootflow.question", "rootflow.directory"
# What does not change the answer, so that a study may go on with other values of it.
FREE = {"output", "tracking", "tune"}
DECIDES_TRIALS: tuple[Answer, ...] = ("dataset", "network", "trees")
ASKED = {"space", "objectives", "folds", "then"}
SECONDS_FOR_A_LOCK = 60
LOCK, JOURNAL = "driver.lock", "study.journal"


def place_of(config: Config, tune: TuningConfig) -> Path:
    """Return the directory of the configured study."""
    return (config.output / "studies" / tune.name).resolve()


def storage_name(tune: TuningConfig, place: Path) -> str:
    """Return where Optuna keeps the study, as `optuna-dashboard` takes it."""
    return tune.storage or str(place / JOURNAL)


def open_study(config: Config, tune: TuningConfig, place: Path) -> optuna.Study:
    """Make the study or find it again; one of another question or directory is refused."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    place.mkdir(parents=True, exist_ok=True)
    try:
        study = optuna.create_study(
            study_name=tune.name,
            storage=_storage(tune, place),
            directions=[objective.direction for objective in tune.objectives],
            pruner=make_pruner(config, tune),
            load_if_exists=True,
        )
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error).splitlines()[0].replace(str(tune.storage), "the URL")
        raise UsageError(f"tune.storage: cannot be opened: {reason}") from None
    other_question = (
        f"it has another configuration, space, objectives, folds, steps or code: name this one "
        f"otherwise than tune.name={tune.name}, or take settings and code back"
    )
    _agree(study, QUESTION, _question(config, tune), other_question)
    _agree(study, DIRECTORY, str(place), "it belongs to another directory")
    return study


def _storage(tune: TuningConfig, place: Path) -> BaseStorage:
    if tune.storage is None:
        before = place / "study.db"
        if before.exists():
            raise UsageError(
                f"{before}: a study of an earlier rootflow: go on with it by "
                f"tune.storage=sqlite:///{before}, or give this one another tune.name"
            )
        _mend(place / JOURNAL)
        return JournalStorage(JournalFileBackend(str(place / JOURNAL), _NoLock()))
    sqlite = {"connect_args": {"timeout": SECONDS_FOR_A_LOCK}, "poolclass": NullPool}
    engine = sqlite if tune.storage.startswith("sqlite:") else {}
    return RDBStorage(tune.storage, engine_kwargs=engine)


class _NoLock(BaseJournalFileLock):
    """The driver is alone; Optuna's own locks do not let an interrupt through as what it is."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def _mend(journal: Path) -> None:
    """Leave out what a driver that was killed wrote in part."""
    if journal.exists() and not (content := journal.read_bytes()).endswith(b"\n"):
        with journal.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)


def _question(config: Config, tune: TuningConfig) -> str:
    return digest_of(
        {
            "config": config.model_dump(mode="json", exclude=FREE),
            "tune": tune.model_dump(mode="json", include=ASKED),
            "code": [code_digest(config.analysis, answer) for answer in DECIDES_TRIALS],
        }
    )


def _agree(study: optuna.Study, key: str, value: str, otherwise: str) -> None:
    kept = study.user_attrs.get(key)
    if kept is None:
        study.set_user_attr(key, value)
    elif kept != value:
        where = f" ({kept})" if key == DIRECTORY else ""
        raise UsageError(f"study '{study.study_name}' is there already: {otherwise}{where}")


@contextmanager
def only_driver(place: Path) -> Iterator[None]:
    """Keep other drivers from the study, on whichever machine; where one is at work, refuse."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise UsageError(
                f"{place}: another driver is at work on this study "
                f"({lock.read().strip()}): wait for it or stop it"
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {platform.node()}\n")
        lock.flush()
        yield
