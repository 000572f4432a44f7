"""The jobs of a study's trials: with files that nodes see, or with all that they need carried."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from rootflow.batch.contract import Job
from rootflow.config import Config, digest_of, load
from rootflow.config.batch import ProfileConfig
from rootflow.steps import preprocess
from rootflow.tracking import carried
from rootflow.tracking.connection import (
    TRACKING_URI,
    login_of_jobs,
    server_must_answer,
    tracking_uri,
)
from rootflow.tracking.study import StudyRun
from rootflow.tuning.driver import MakeJob
from rootflow.tuning.trials import CONFIG, OUTPUTS, PROGRESS, RESULT, TRIAL, TrialFiles

# So that a job takes the CPUs it asked for; TensorFlow's threads within an operation are fixed.
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS")
PACKAGES = Path(__file__).parents[2]
CODE, WORK = "code", "work"  # folders of a job
NOT_OF_THE_DATASET: Any = {
    **dict.fromkeys(("model", "training", "evaluation", "export", "tracking", "tune"), True),
    "data": {"folds"},
}


def job_maker(
    profile: ProfileConfig, study: str, place: Path, runs: StudyRun, *, shares_files: bool
) -> MakeJob:
    """Return what makes the job of a trial of the study in `place`."""
    environment = {name: str(profile.job.cpus) for name in THREADS}
    if profile.tracking == "server":
        environment |= {TRACKING_URI: tracking_uri(), **login_of_jobs(profile, tracking_uri())}
    jobs = _Jobs(profile, study, place, runs, environment | profile.job.environment)
    return jobs.sharing if shares_files else jobs.carrying


class _Jobs:
    """Makes jobs of trials."""

    def __init__(
        self,
        profile: ProfileConfig,
        study: str,
        place: Path,
        runs: StudyRun,
        environment: dict[str, str],
    ) -> None:
        self._profile = profile
        self._study = study
        self._archives = place / "archives"
        self._runs = runs
        self._environment = environment
        given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        self._code = [PACKAGES, *(Path(path).resolve() for path in given if path)]
        self._packages: dict[str, Path] | None = None
        self._datasets: dict[str, Path] = {}

    def sharing(self, files: TrialFiles, name: str) -> Job:
        """Return the job of a trial whose node sees the files of this machine."""
        python = self._profile.python or sys.executable
        words: tuple[str, ...] = (python, "-m", "rootflow", "trial", str(files.directory))
        words += ("--from", str(Path.cwd()))
        if self._profile.tracking == "server":  # else its store is of the runs of one trial
            runtime = self._profile.job.runtime
            words += ("--others", str(runtime.total_seconds() if runtime else "inf"))
        environment = {"PYTHONPATH": os.pathsep.join(map(str, self._code)), **self._environment}
        resources = self._profile.job.model_copy(update={"environment": environment})
        if self._profile.tracking == "spool":
            words = ("bash", "-c", self._spooling(files, shlex.join(words)))
        return Job(name, words, files.directory, resources=resources, batch=self._study)

    def carrying(self, files: TrialFiles, name: str) -> Job:
        """Return the job of a trial that is brought its code, dataset and files, and back."""
        if self._packages is None:
            self._packages = self._packed()
        dataset = self._dataset(load(files.directory / CONFIG))
        inputs = [files.directory / TRIAL, files.directory / CONFIG, dataset]
        outputs = [OUTPUTS, PROGRESS, RESULT]
        # What is not packed is of the environment, which nodes have.
        path = os.pathsep.join(
            f"$PWD/{CODE}/{number}" if f"{CODE}/{number}" in self._packages else str(place)
            for number, place in enumerate(self._code)
        )
        words = ["python3", "-m", "rootflow", "trial", ".", "--dataset", dataset.name]
        if WORK in self._packages:
            words += ["--from", WORK]
        script = f'export PYTHONPATH="{path}" && {shlex.join(words)}'
        if self._profile.tracking == "spool":
            script = self._spooling(files, script)
            inputs.append(files.directory / carried.TRACKING)
            outputs.append(carried.TRACKING)
        return Job(
            name,
            ("bash", "-c", script),
            files.directory,
            tuple(inputs),
            tuple(outputs),
            self._profile.job.model_copy(update={"environment": self._environment}),
            packages=self._packages,
            batch=self._study,
        )

    def _spooling(self, files: TrialFiles, script: str) -> str:
        run_id = files.read_trial().run_id
        with server_must_answer():
            carried.prepare_store(self._runs.run.client, run_id, files.directory)
        return carried.logging_here(script)

    def _packed(self) -> dict[str, Path]:
        """Return archives of code that is not of the environment, and of the profile's inputs."""
        packages = {
            f"{CODE}/{number}": carried.pack(path, (), self._archives)
            for number, path in enumerate(self._code)
            if path.is_dir() and not path.is_relative_to(sys.prefix)
        }
        if self._profile.inputs:
            packages[WORK] = carried.pack(
                Path.cwd(), self._profile.inputs, self._archives, with_project=False
            )
        return packages

    def _dataset(self, config: Config) -> Path:
        """Return the dataset of a trial, made here where there is none: its ntuples stay here."""
        settings = config.model_dump(mode="json", exclude=NOT_OF_THE_DATASET)
        question = digest_of(settings)
        if question not in self._datasets:
            self._datasets[question] = preprocess.made(config, self._runs.run).path.resolve()
        return self._datasets[question]
