"""Generate events, and write them as ntuples."""

from pathlib import Path

from rootflow.config import Config
from rootflow.ntuple import find_files
from rootflow.simulation import FINISHED, digest, simulate
from rootflow.steps.result import StepResult
from rootflow.tracking import Run, start_run

SAMPLE = "rootflow.sample"


def run(config: Config, parent: Run | None = None) -> StepResult:
    """Simulate, or find again, the sample that the configuration describes."""
    with start_run(config, "simulate", parent) as run:
        directory = _directory(config)
        files = simulate(config.simulation, config.seed, directory)
        run.set_tags({SAMPLE: directory.name})
        run.log_metrics({"bytes": sum(path.stat().st_size for path in files)})
        run.log_text("\n".join(map(str, files)), "files.txt")
        facts = {
            "process": config.simulation.process,
            "selected_events": config.simulation.events,
            "files": [str(path) for path in files],
        }
        return StepResult("simulate", run.run_id, facts)


def input_files(config: Config, parent: Run) -> list[Path]:
    """Return the ntuples to read: those that are configured, else simulated ones."""
    if config.data.files:
        return find_files(config.data.files)
    directory = _directory(config)
    if not (directory / FINISHED).exists():
        run(config, parent)
    parent.log_source("simulate", SAMPLE, directory.name)
    return simulate(config.simulation, config.seed, directory)


def _directory(config: Config) -> Path:
    return config.output / "simulated" / digest(config.simulation, config.seed)
