"""Generate events, and write them as ntuples."""

from pathlib import Path

from rootflow.config import Config, digest_of
from rootflow.ntuple import find_files
from rootflow.simulation import simulate
from rootflow.steps.result import StepResult
from rootflow.tracking import Run, start_run

FINISHED = "simulation.json"  # written last


def run(config: Config, parent: Run | None = None) -> StepResult:
    """Simulate, or find again, the sample that the configuration describes."""
    with start_run(config, "simulate", parent) as run:
        files = simulate(config.simulation, config.seed, _directory(config))
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
    return sorted(directory.glob("*.root"))


def _directory(config: Config) -> Path:
    settings = config.simulation.model_dump(mode="json", exclude={"workers"})
    return config.output / "simulated" / digest_of([settings, config.seed])
