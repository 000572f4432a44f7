"""Runs of an entry point of an MLproject, each of which is a job; one submission for all."""

import hashlib
import re
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from mlflow.entities import Param, RunTag
from mlflow.projects import SubmittedRun
from mlflow.projects import utils as projects
from mlflow.tracking import MlflowClient

from rootflow.batch import Executor, Job, State, make_executor
from rootflow.config.batch import ProfileConfig
from rootflow.config.command import check_command
from rootflow.errors import RootflowError, UsageError
from rootflow.following import Followed, follow, hand_over
from rootflow.following.news import STATUS
from rootflow.progress import say
from rootflow.secrets import hidden
from rootflow.tracking import carried
from rootflow.tracking.connection import log_all, login, login_of_jobs, server_must_answer
from rootflow.tracking.telling import JOB, TELLER

untyped: Any = projects  # its functions say nothing of types
NAME = "mlflow.runName"
BACKEND = "mlflow.project.backend"
MOST_LINES = 10
ARCHIVES, EXECUTORS = "archives", "executors"
FINISHED = STATUS[State.DONE]
# Words of a profile by which its executor does nothing otherwise.
NOT_OF_THE_EXECUTOR = {
    "description", "assumes", "tracking", "folder", "inputs", "outputs", "wait", "job",
}  # fmt: skip
NOT_IN_NAMES = re.compile(r"[$,\n\x1f\"']+")


class RunToMake(NamedTuple):
    """A run that is to be made: the entry point's parameters, and its name; None for MLflow's."""

    parameters: Mapping[str, str]
    name: str | None = None


class Project(NamedTuple):
    """An entry point of an MLproject."""

    uri: str
    version: str | None
    entry_point: str
    work_dir: Path
    description: Any

    @classmethod
    def at(
        cls, uri: str, version: str | None, entry_point: str, parameters: Mapping[str, str]
    ) -> Self:
        """Return an entry point of the project at a path or in a repository."""
        work_dir = untyped.fetch_and_validate_project(uri, version, entry_point, parameters)
        description = untyped.load_project(work_dir)
        return cls(uri, version, entry_point, Path(work_dir).absolute(), description)

    @property
    def is_here(self) -> bool:
        """Whether it is run where it is, and not in a copy that was fetched."""
        return self.version is None and Path(self.uri.partition("#")[0]).is_dir()

    def command(self, parameters: Mapping[str, str]) -> str:
        """Return the shell's command for these parameters."""
        point = self.description.get_entry_point(self.entry_point)
        storage = Path(tempfile.mkdtemp())  # of what parameters of type `path` name elsewhere
        command = str(point.compute_command(parameters, str(storage)))
        if not any(storage.iterdir()):
            storage.rmdir()
        return command

    def check_environment(self, manager: str | None, profile: ProfileConfig) -> None:
        """Refuse an environment that no job gets."""
        if manager not in (None, "local"):
            raise UsageError(
                f"--env-manager {manager}: a job runs in the environment that submits it, in "
                "`python` of the profile or in `job.container`: leave --env-manager out"
            )
        if self.description.docker_env and profile.job.container is None:
            raise UsageError("the project has a docker_env: name its image as job.container")


class HTCondorRun(SubmittedRun):
    """A run whose job is in the pool."""

    def __init__(self, job: Followed) -> None:
        super().__init__()
        self._job = job

    @property
    def run_id(self) -> str:
        """The MLflow run."""
        return self._job.run_id

    @property
    def job_id(self) -> str:
        """The job as HTCondor calls it: cluster.proc."""
        return self._job.name

    @property
    def folder(self) -> Path:
        """The run's own folder: what its job has and leaves."""
        return self._job.folder

    def wait(self) -> bool:
        """Wait until the job has ended, and return whether it ended well."""
        if (failure := self._failure()) is not None:
            say(f"rootflow: {failure}")  # of which MLflow says only that it is one
        return failure is None

    def require_finished(self) -> None:
        """Wait until the job has ended; where it did not end well, that is a RootflowError."""
        try:
            failure = self._failure()
        except KeyboardInterrupt:
            self.cancel()
            raise
        if failure is not None:
            raise RootflowError(failure)

    def _failure(self) -> str | None:
        ending = follow(self.folder)
        if ending.status == FINISHED:
            return None
        how = "was killed" if ending.status == STATUS[State.REMOVED] else "failed"
        why = f": {ending.reason}" if ending.reason else ""
        return f"Run (ID '{self.run_id}') {how}{why} (see its artifacts in {JOB}/)"

    def get_status(self) -> str:
        """Return the status of the MLflow run."""
        return str(MlflowClient(self._job.tracking_uri).get_run(self.run_id).info.status)

    def cancel(self) -> None:
        """Remove the job, and wait until it is gone."""
        self._job.executor.cancel([self._job.job_id], "cancelled through MLflow")
        self.wait()


@dataclass(frozen=True)
class Submission:
    """Submits runs of a project's entry point by a profile."""

    project: Project
    profile: ProfileConfig
    experiment_id: str
    tracking_uri: str

    def submit(self, runs: Sequence[RunToMake]) -> list[HTCondorRun]:
        """Make the runs, submit a job for each, all or none of them, and have them followed."""
        commands = self._checked(runs)
        client, made = MlflowClient(self.tracking_uri), dict[str, str]()
        try:
            for run, command in zip(runs, commands, strict=True):
                made[self._make_run(client, run, next(iter(made), None))] = command
            jobs = self._jobs(client, made)
            ids = self._executor().submit(jobs)
        except RootflowError as error:
            for run_id in made:
                client.set_tag(run_id, "htcondor.reason", hidden(str(error)))
                client.set_terminated(run_id, "FAILED")
            raise
        followed = [
            Followed(
                job.directory.parent,
                self._executor_folder(),
                job_id,
                run_id,
                self.experiment_id,
                absolute(self.tracking_uri),
                login(),
                job.directory / carried.TRACKING if self.profile.tracking == "spool" else None,
            )
            for run_id, job, job_id in zip(made, jobs, ids, strict=True)
        ]
        hand_over(followed, TELLER)
        for each in followed:
            _say_scheduled(client, each)
        _say_submitted(followed)
        return [HTCondorRun(each) for each in followed]

    def describe(self, runs: Sequence[RunToMake]) -> str:
        """Return what would be submitted."""
        archive = self._folder / ARCHIVES / "project.tar"
        commands = self._checked(runs)
        names = [hidden(run.name or "RUN") for run in runs]
        with tempfile.TemporaryDirectory() as folder:
            jobs = [
                self._job(f"RUN{number or ''}", name, command, {}, archive)
                for number, (name, command) in enumerate(zip(names, commands, strict=True))
            ]
            text = make_executor(self.profile, Path(folder)).describe(jobs)
        text = text.replace(folder, str(self._executor_folder()))
        lines = [line for job in jobs for line in hidden(job.command[-1]).splitlines()]
        return "".join(f"# {line}\n" for line in ("the jobs:", *lines)) + text

    @property
    def _folder(self) -> Path:
        return self.profile.folder.absolute()

    def _executor_folder(self) -> Path:
        """Return the folder of the executor for all runs of such an entry point by such a profile.

        Jobs that are alike learn from each other what they need, and which machines to avoid.
        """
        words = self.profile.model_dump_json(exclude=NOT_OF_THE_EXECUTOR)
        digest = hashlib.sha256(words.encode()).hexdigest()[:12]
        return self._folder / EXECUTORS / f"{_fit(self.project.entry_point)}-{digest}"

    def _executor(self) -> Executor:
        return make_executor(self.profile, self._executor_folder())

    def _checked(self, runs: Sequence[RunToMake]) -> list[str]:
        """Return the command of each run, whose configuration is right where rootflow knows it."""
        commands = [self.project.command(run.parameters) for run in runs]
        # Another Python has a rootflow of its own.
        if self.profile.python is None and self.profile.job.container is None:
            for run, command in zip(runs, commands, strict=True):
                try:
                    self._say_what_stays(check_command(command, self.project.work_dir))
                except UsageError as error:
                    which = f"{run.name}: " if len(runs) > 1 else ""
                    raise UsageError(f"{which}{error}") from None
        return commands

    def _say_what_stays(self, written: Sequence[Path]) -> None:
        """Say of what is written where it will be, unless a run here would have put it there."""
        if self.profile.files == "shared":
            return
        project = self.project.work_dir.resolve()
        for place in written:
            if not place.resolve().is_relative_to(project):
                say(
                    f"what the job writes to {place} stays on its node, unless that sees the same "
                    "folder: name one in the project to have it here"
                )
        if self.profile.output_destination is not None:
            say(f"what the job writes comes to {self.profile.output_destination}")
        elif not self.project.is_here:
            say(f"what the job writes comes to {self._folder}/RUN/{JOB}/{carried.PROJECT}")

    def _make_run(self, client: MlflowClient, run: RunToMake, first: str | None) -> str:
        """Return a new run as MLflow makes it, with the tags of the first of several.

        It has no secret: what MLflow logs of a project is seen by all who see the server.
        """
        parameters = {name: hidden(str(value)) for name, value in run.parameters.items()}
        name = hidden(run.name) if run.name is not None else None
        with server_must_answer():
            if first is None:
                made: Any = untyped.get_or_create_run(
                    None,
                    self.project.uri,
                    self.experiment_id,
                    str(self.project.work_dir),
                    self.project.version,
                    self.project.entry_point,
                    parameters,
                )
                run_id = str(made.info.run_id)
                if name is not None:
                    client.update_run(run_id, name=name)
                tags = made.data.tags  # repositories may have been cloned by a token
                shown = {
                    tag: hidden(value) for tag, value in tags.items() if value != hidden(value)
                }
                log_all(client, run_id, tags=[RunTag(*tag) for tag in shown.items()])
                return run_id
            tags = client.get_run(first).data.tags
            tags.pop(NAME, None)
            made = client.create_run(self.experiment_id, tags=tags, run_name=name)
            point = self.project.description.get_entry_point(self.project.entry_point)
            computed, extra = point.compute_parameters(parameters, None)
            params = [Param(*pair) for pair in {**computed, **extra}.items()]
            log_all(client, made.info.run_id, params=params)
            return str(made.info.run_id)

    def _jobs(self, client: MlflowClient, commands: Mapping[str, str]) -> list[Job]:
        archive = self._folder / ARCHIVES
        if self.profile.files != "shared":
            archive = carried.pack(self.project.work_dir, self.profile.inputs, archive)
        jobs = []
        for run_id, command in commands.items():
            told = {
                "MLFLOW_RUN_ID": run_id,
                "MLFLOW_EXPERIMENT_ID": self.experiment_id,
                **login_of_jobs(self.profile, absolute(self.tracking_uri)),
            }
            name = str(client.get_run(run_id).info.run_name)
            jobs.append(self._job(run_id, name, command, told, archive))
            jobs[-1].directory.mkdir(parents=True)
            if self.profile.files != "shared" and self.project.is_here:
                carried.note_home(jobs[-1].directory, self.project.work_dir)
            if self.profile.tracking == "spool":
                carried.prepare_store(client, run_id, jobs[-1].directory)
        return jobs

    def _job(
        self, run_id: str, name: str, command: str, told: Mapping[str, str], archive: Path
    ) -> Job:
        """Return the job of a run, which is told some variables of the environment."""
        profile, work_dir = self.profile, self.project.work_dir
        directory = self._folder / run_id / JOB
        inputs: tuple[Path, ...] = ()
        packages: dict[str, Path] = {}
        outputs: tuple[str, ...] = ()
        if profile.files == "shared":
            script = f"cd {shlex.quote(str(work_dir))} && {command}"
        else:
            packages = {carried.PROJECT: archive}
            named = tuple(f"{carried.PROJECT}/{output}" for output in profile.outputs)
            outputs = named or (carried.PROJECT,)
            script = carried.there(command, work_dir)
        if profile.tracking == "spool":
            inputs += (directory / carried.TRACKING,)
            outputs += (carried.TRACKING,)
            script = carried.logging_here(script)
        environment = {"environment": {**told, **profile.job.environment}}
        resources = profile.job.model_copy(update=environment)
        words = ("bash", "-c", script)
        return Job(_fit(name), words, directory, inputs, outputs, resources, packages=packages)


def absolute(uri: str) -> str:
    """Return the tracking URI as another working directory needs it."""
    parts = urlsplit(uri)
    if parts.scheme == "sqlite" and uri.startswith("sqlite:///"):
        return f"sqlite:///{Path(uri.removeprefix('sqlite:///')).absolute()}"
    if parts.scheme in ("", "file"):
        return Path(parts.path).absolute().as_uri()
    return uri


def _say_submitted(jobs: Sequence[Followed]) -> None:
    """Tell the user the job of each run, or of many the first and the last."""
    for job in jobs if len(jobs) <= MOST_LINES else ():
        say(f"run {job.run_id} is job {job.name}, kept in {job.folder}")
    if len(jobs) > MOST_LINES:
        first, last = jobs[0], jobs[-1]
        say(f"{len(jobs)} runs are jobs {first.name} to {last.name}, kept in {first.folder.parent}")


def _say_scheduled(client: MlflowClient, job: Followed) -> None:
    """Have the run say that its job waits."""
    tags = {"htcondor.folder": str(job.folder), "htcondor.job": job.name, BACKEND: "htcondor"}
    log_all(client, job.run_id, tags=[RunTag(*tag) for tag in tags.items()])
    client.update_run(job.run_id, STATUS[State.IDLE])


def _fit(name: str) -> str:
    """Return a name without what the batch system takes in none."""
    return NOT_IN_NAMES.sub("_", name)
