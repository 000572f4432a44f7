"""What a job needs, and what a site is like: one vocabulary for every executor."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from rootflow.config.block import Block
from rootflow.config.load import explain, read_yaml
from rootflow.errors import UsageError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    """Read 90s, 30m, 2h, 1d, 1h30m; everything else is left to pydantic."""
    if isinstance(value, str) and re.fullmatch(r"(\d+[smhd])+", value):
        parts = re.findall(r"(\d+)([smhd])", value)
        try:
            return timedelta(seconds=sum(int(number) * SECONDS[unit] for number, unit in parts))
        except (OverflowError, ValueError):  # of more digits than Python reads, too
            raise ValueError("a duration of more than 999,999,999 days") from None
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]


class JobConfig(Block):
    """What a job needs."""

    cpus: int = Field(1, ge=1, description="CPU cores")
    memory_gib: float = Field(2.0, gt=0, description="Memory, GiB")
    disk_gib: float = Field(1.0, gt=0, description="Scratch disk, GiB")
    gpus: int = Field(0, ge=0, description="GPUs")
    gpu_memory_gib: float | None = Field(None, gt=0, description="Least memory of each GPU, GiB")
    gpu_capability: float | None = Field(None, gt=0, description="Least CUDA capability: 7.5")
    runtime: Duration | None = Field(
        None,
        description="Longest run: 90m, 2h, 1d. A job that stops in time for it, after SIGTERM, "
        "starts again and goes on from its checkpoint; one that does not has failed",
    )
    container: str | None = Field(None, description="Apptainer image: a path or docker://NAME")
    environment: dict[str, str] = Field({}, description="Environment variables")
    accounting_group: str | None = Field(None, description="Group that the time is charged to")
    requirements: str | None = Field(None, description="ClassAd expression a machine must fulfil")
    classads: dict[str, bool | int | float | str] = Field(
        {}, description="Further attributes of the job, as +Name = value: JobFlavour"
    )


class LimitsConfig(Block):
    """When to give a job up, and how to help it before that."""

    starts: int = Field(10, ge=1, description="Times a job may start, evictions included")
    memory_factor: float = Field(2.0, gt=1, description="More memory after too little: this times")
    memory_gib: float = Field(16.0, gt=0, description="Most memory to ask for, GiB")
    disk_factor: float = Field(2.0, gt=1, description="More disk after too little: this times")
    disk_gib: float = Field(50.0, gt=0, description="Most scratch disk to ask for, GiB")
    failures_per_machine: int | None = Field(
        3,
        ge=1,
        description="Least number of jobs that fail on a machine, one after another and unlike "
        "those elsewhere, before jobs avoid it; null: they never do",
    )
    explain_idle: Duration | None = Field(
        timedelta(minutes=5),
        description="Time after which is said of a job that waits why no machine can run it, if "
        "none can; null: never",
    )
    jobs: int | None = Field(None, ge=1, description="Most jobs that the schedd takes at once")
    carried_gib: float | None = Field(
        None, gt=0, description="Most that HTCondor carries to a job there, GiB"
    )
    idle: int = Field(
        500, ge=1, description="Jobs of one submission in the queue that wait; others come later"
    )


class ProfileConfig(Block):
    """How jobs run at a site."""

    description: str = Field("", description="What this profile is for")
    assumes: tuple[str, ...] = Field((), description="What must be true at the site")
    executor: Literal["local", "htcondor"] = "htcondor"
    files: Literal["shared", "transfer", "spool"] = Field(
        "shared",
        description="shared: the node sees the same files; transfer: HTCondor brings them there "
        "and back; spool: the same by way of a schedd that does not see the files either",
    )
    job: JobConfig = Field(JobConfig(), description="What jobs need that do not say otherwise")
    slots: int | None = Field(None, ge=1, description="CPUs of the local executor [all]")
    retries: int = Field(0, ge=0, description="Times a job that failed runs again")
    retry_elsewhere: Duration = Field(
        timedelta(minutes=1),
        description="Time for which a failed job runs again on another machine only",
    )
    grace: Duration = Field(
        timedelta(seconds=10), description="Time for a checkpoint between SIGTERM and the end"
    )
    limits: LimitsConfig = LimitsConfig()
    python: str | None = Field(
        None, description="Python on the node [that of job.container, or the one that submits]"
    )
    packed_environment: Path | None = Field(
        None,
        description="File of `rootflow pack`, which is carried to the node and unpacked: jobs run "
        "in the Python that is in it",
    )
    runtime_attribute: str | None = Field(
        None, description="Attribute that tells the site the run time in seconds: MaxRuntime"
    )
    send_credential: bool = Field(False, description="Give the job a Kerberos credential")
    oauth_services: tuple[str, ...] = Field(
        (), description="Services whose OAuth tokens HTCondor gives the job: scitokens"
    )
    credentials: tuple[Literal["mlflow", "s3", "x509"], ...] = Field(
        ("mlflow",),
        description="Logins of the session that submits which the job gets: mlflow: of the "
        "tracking server, where jobs log to it; s3: AWS_*, MLFLOW_S3_*; x509: the proxy",
    )
    pass_environment: tuple[str, ...] = Field(
        (), description="Further variables of that session: NAME, or NAME_* for all of these"
    )
    output_destination: str | None = Field(
        None, description="URL that HTCondor's file transfer plugin writes outputs to"
    )
    schedd: str | None = Field(None, description="Name of the schedd [the local one]")
    tracking: Literal["server", "spool"] = Field(
        "server",
        description="server: jobs log to the tracking server; spool: they keep what they log on "
        "disk, and it is imported where they were submitted",
    )
    folder: Path = Field(
        Path("outputs/batch"), description="Where `mlflow run` keeps jobs and their logs"
    )
    inputs: tuple[str, ...] = Field(
        (),
        description="What `mlflow run` carries beside the files git knows, below the project, "
        "and what a trial carries, below the working directory",
    )
    outputs: tuple[str, ...] = Field(
        (),
        description="What comes back of what a carried project has written, below it, and what a "
        "job that was evicted goes on from [all that is new or changed]",
    )
    wait: bool = Field(False, description="`mlflow run` returns when the job has ended")

    @model_validator(mode="after")
    def _one_python(self) -> Self:
        if self.packed_environment is None:
            return self
        if self.files == "shared" or self.executor == "local":
            raise ValueError(
                "packed_environment is carried to the node: that takes files: transfer or spool, "
                "and executor: htcondor"
            )
        if self.python is not None or self.job.container is not None:
            raise ValueError("packed_environment brings a Python: leave out python, job.container")
        return self


def load_profile(path: Path) -> ProfileConfig:
    """Return the profile in a JSON or YAML file."""
    return profile_of(read_yaml(path, "profile"), str(path))


def profile_of(words: Any, where: str) -> ProfileConfig:
    """Return the profile that `words`, plain data from `where`, describe."""
    try:
        return ProfileConfig.model_validate(words)
    except ValidationError as error:
        raise UsageError(f"{where}: {explain(error, ProfileConfig)}") from None
