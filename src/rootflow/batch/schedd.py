"""HTCondor's Python bindings, and talking by them to a schedd that may be restarted meanwhile."""

import contextlib
import json
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rootflow.batch.description import FOLDER, SUBMISSION, literal
from rootflow.errors import AwayError, RootflowError, UsageError
from rootflow.files import cache, whole_file

CONFIG = "CONDOR_CONFIG"


def htcondor() -> Any:
    """Return htcondor2; a UsageError where the file that CONDOR_CONFIG names is not there.

    On their first use of the network the bindings would end the process without a word.
    """
    if not os.environ.get(CONFIG) and (personal := _personal_pool()) is not None:
        os.environ[CONFIG] = personal
    named = os.environ.get(CONFIG, "")
    if named.startswith("/") and named != os.devnull and not Path(named).is_file():
        raise UsageError(f"{CONFIG}: {named} is not there; start a pool (rootflow pool up)")
    # TensorFlow shows a cryptography library to all that is loaded after it. With its functions
    # in the place of OpenSSL's the bindings cannot talk to any daemon ("SECMAN:2001"): they are
    # to find their symbols in their own libraries first.
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | os.RTLD_DEEPBIND)
    try:
        import htcondor2
    finally:
        sys.setdlopenflags(flags)
    return htcondor2


def remember(config: Path, pid: int) -> None:
    """Have commands of this user on this machine use a pool where none is named, while it runs."""
    with whole_file(_note()) as partial:
        partial.write_text(
            json.dumps({"config": str(config), "pid": pid, "machine": platform.node()})
        )


def forget(config: Path) -> None:
    """Undo `remember`, where it was this pool's."""
    with contextlib.suppress(FileNotFoundError):
        if json.loads(_note().read_text())["config"] == str(config):
            _note().unlink()


def _note() -> Path:
    return cache() / "pool-in-use.json"


def _personal_pool() -> str | None:
    """Return the configuration of the pool that was started last on this machine, if it runs."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        note = json.loads(_note().read_text())
        if note["machine"] == platform.node() and Path(note["config"]).is_file():
            with contextlib.suppress(PermissionError):  # it runs, as another user's
                os.kill(note["pid"], 0)
            return str(note["config"])
    return None


def use(config: Path) -> None:
    """Have this process, and those it starts, use the pool with this configuration."""
    os.environ[CONFIG] = str(config)
    htcondor().reload_config()


SECONDS_OF_PATIENCE = 60.0
SECONDS_BETWEEN_TRIES = 1.0
REASON_CODE = 0  # without a code the bindings drop the reason
# https://htcondor.readthedocs.io, "Job ClassAd Attributes", JobStatus and HoldReasonCode
REMOVED, INPUTS_ON_THEIR_WAY = 3, 16


class Schedd:
    """The schedd of a profile; each call finds it anew, for its address changes."""

    def __init__(self, name: str | None) -> None:
        self._name = name

    def submit(self, text: str, token: str, *, spool: bool) -> int:
        """Hand over a submit file, once even where a call is cut off; return its cluster."""

        def once(schedd: Any) -> int:
            if (made := _whole_cluster(schedd, token)) is not None:
                return made
            answer = schedd.submit(htcondor().Submit(text), spool=spool)
            if spool:
                schedd.spool(answer)
            return int(answer.cluster())

        return int(self._patiently(once))

    def cluster_of(self, token: str) -> int | None:
        """Return the cluster of a submission, None where it was not made."""
        cluster: int | None = self._patiently(lambda schedd: _whole_cluster(schedd, token))
        return cluster

    def query(self, folder: Path, attributes: Sequence[str]) -> list[Any]:
        """Return the ads of the jobs of an executor's folder."""
        wanted = _having(FOLDER, str(folder))
        return list(self._patiently(lambda schedd: _query(schedd, wanted, attributes)))

    def ads(self, jobs: Sequence[str]) -> list[Any]:
        """Return all that the schedd knows of jobs in the queue, "cluster.proc" each."""
        pairs = (name.split(".") for name in jobs)
        wanted = " || ".join(f"(ClusterId == {c} && ProcId == {p})" for c, p in pairs)
        ads = self._patiently(lambda schedd: schedd.query(wanted))
        return [ad for ad in ads if f"{ad['ClusterId']}.{ad['ProcId']}" in jobs]

    def jobs_of_user(self, attributes: Sequence[str]) -> dict[Path, list[Any]]:
        """Return the ads of all jobs of this user that rootflow has submitted, by their folders."""
        mine = htcondor().QueryOpt.DefaultMyJobsOnly
        try:
            ads = self._find().query(f"{FOLDER} isnt undefined", [FOLDER, *attributes], opts=mine)
        except htcondor().HTCondorException as error:
            raise AwayError(f"HTCondor: {' '.join(str(error).split())}") from None
        found = defaultdict(list)
        for ad in ads:
            found[Path(str(ad[FOLDER]))].append(ad)
        return found

    def history(self, constraint: str, attributes: Sequence[str]) -> list[Any]:
        """Return the ads of jobs that have left the queue, the latest of each constraint."""
        names = list(attributes)
        return list(self._patiently(lambda schedd: schedd.history(constraint, names, match=1)))

    def remove(self, jobs: Sequence[str] | int, reason: str) -> None:
        """Remove jobs, "cluster.proc" each, or a whole cluster."""
        self._act("Remove", jobs, reason)

    def release(self, jobs: Sequence[str], reason: str) -> None:
        """Make held jobs idle again."""
        self._act("Release", jobs, reason)

    def edit(self, jobs: Sequence[str], changes: Mapping[str, str]) -> None:
        """Change attributes of jobs."""

        def once(schedd: Any) -> None:
            for name, value in changes.items():
                schedd.edit(list(jobs), name, value)

        self._patiently(once)

    def edit_all(self, folder: Path, name: str, value: str) -> None:
        """Change an attribute of all jobs of an executor's folder that are in the queue."""
        which = _having(FOLDER, str(folder))

        def once(schedd: Any) -> None:
            try:
                schedd.edit(which, name, value)
            except htcondor().HTCondorException:
                if schedd.query(which, ["ClusterId"], limit=1):  # none to edit is no error
                    raise

        self._patiently(once)

    def retrieve(self, jobs: Sequence[str]) -> None:
        """Fetch the files of jobs whose schedd does not see their folders."""
        self._patiently(lambda schedd: schedd.retrieve(list(jobs)))

    def answers(self) -> bool:
        """Return whether the schedd is there."""
        try:
            self._find().query("false", ["ClusterId"])
        except htcondor().HTCondorException:
            return False
        return True

    def _act(self, action: str, jobs: Sequence[str] | int, reason: str) -> None:
        which = jobs if isinstance(jobs, int) else list(jobs)
        what = getattr(htcondor().JobAction, action)
        self._patiently(lambda schedd: schedd.act(what, which, (reason, REASON_CODE)))

    def _patiently(self, call: Callable[[Any], Any]) -> Any:
        """Call until the schedd has answered; what it refuses is an error at once."""
        deadline = time.monotonic() + SECONDS_OF_PATIENCE
        while True:
            try:
                return call(self._find())
            except htcondor().HTCondorException as error:
                if time.monotonic() > deadline or self.answers():
                    raise RootflowError(
                        f"HTCondor: {' '.join(str(error).split())}; is a schedd running, and does "
                        f"{CONFIG} ({os.environ.get(CONFIG, 'not set')}) name its configuration?"
                    ) from None
            time.sleep(SECONDS_BETWEEN_TRIES)

    def _find(self) -> Any:
        module = htcondor()
        if self._name is None:
            return module.Schedd()
        return module.Schedd(module.Collector().locate(module.DaemonType.Schedd, self._name))


def machines(attributes: Collection[str]) -> list[Any]:
    """Return the ads of the pool's slots, those that jobs were given cut out of others left out."""
    module = htcondor()
    try:
        own = 'SlotType =!= "Dynamic"'
        return list(module.Collector().query(module.AdType.Slot, own, list(attributes)))
    except module.HTCondorException as error:
        raise RootflowError(f"HTCondor: {' '.join(str(error).split())}") from None


def _having(attribute: str, value: str) -> str:
    return f"{attribute} =?= {literal(value)}"


def _whole_cluster(schedd: Any, token: str) -> int | None:
    """Return the cluster of a submission, None where there is none; remove one without inputs."""
    wanted = f"{_having(SUBMISSION, token)} && JobStatus =!= {REMOVED}"
    found = _query(schedd, wanted, ["ClusterId", "HoldReasonCode"])
    if not found:
        return None
    cluster = int(found[0]["ClusterId"])
    if any(ad.get("HoldReasonCode") == INPUTS_ON_THEIR_WAY for ad in found):
        remove = htcondor().JobAction.Remove
        schedd.act(remove, f"ClusterId == {cluster}", ("its inputs did not come", REASON_CODE))
        return None
    return cluster


def _query(schedd: Any, constraint: str, attributes: Sequence[str]) -> Any:
    """Return ads of jobs, and of clusters whose jobs HTCondor has not made yet."""
    with_clusters = htcondor().QueryOpt.IncludeClusterAd
    return schedd.query(constraint, list(attributes), opts=with_clusters)
