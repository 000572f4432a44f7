"""Generate events, and write them as ntuples."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rootflow.analysis import analysis_named
from rootflow.config import Config
from rootflow.config.simulation import ProcessConfig
from rootflow.errors import UsageError
from rootflow.formats import find_files
from rootflow.places import Place
from rootflow.simulation import FINISHED, digest, simulate
from rootflow.steps.result import Row, StepResult, say_found
from rootflow.tracking import Run, start_run

SAMPLE = "rootflow.sample"


def run(config: Config, parent: Run | None = None) -> StepResult:
    """Simulate, or find again, every process of the configuration."""
    return _run(config, analysis_named(config.analysis).processes(config), parent)


def input_files(config: Config, parent: Run | None) -> dict[str, Sequence[Place]]:
    """Return each sample's ntuples, configured or simulated; all are there without a parent."""
    named = analysis_named(config.analysis).sample_files(config)
    without = [name for name, (_, files) in named.items() if not files]
    simulated = _simulated(config, without, parent)
    return {
        name: find_files(files, setting) if files else simulated[name]
        for name, (setting, files) in named.items()
    }


def _simulated(config: Config, names: Iterable[str], parent: Run | None) -> dict[str, list[Path]]:
    """Return the files of these processes, made by a run below `parent` where there are none."""
    processes = analysis_named(config.analysis).processes(config)
    for name in names:
        if name not in processes:
            raise UsageError(
                f"data.samples.{name}.files: no file is named, and simulation.events does not "
                f"say how many events to simulate; it says {', '.join(processes)}"
            )
    wanted = {name: processes[name] for name in names}
    directories = {name: _directory(config, process) for name, process in wanted.items()}
    missing = {
        name: process
        for name, process in wanted.items()
        if not (directories[name] / FINISHED).exists()
    }
    if parent is not None:
        if missing:
            _run(config, missing, parent)
        for name, directory in directories.items():
            _say_found(name, directory)
            parent.log_source("simulate", f"{SAMPLE}.{name}", directory.name)
    elif missing:
        raise UsageError(f"{', '.join(missing)}: not simulated yet: run `rootflow simulate` first")
    return {
        name: simulate(process, config.seed, directories[name]) for name, process in wanted.items()
    }


def _run(config: Config, processes: Mapping[str, ProcessConfig], parent: Run | None) -> StepResult:
    with start_run(config, "simulate", parent) as run:
        rows: list[Row] = []
        paths: list[Path] = []
        for name, process in processes.items():
            directory = _directory(config, process)
            _say_found(name, directory)
            files = simulate(process, config.seed, directory)
            run.set_tags({f"{SAMPLE}.{name}": directory.name})
            rows.append({"process": process.process, "selected_events": process.events})
            paths += files
        run.log_metrics({"bytes": sum(path.stat().st_size for path in paths)})
        run.log_text("\n".join(map(str, paths)), "files.txt")
        facts = {"files": [str(path) for path in paths]}
        return StepResult("simulate", run.run_id, facts, {"samples": rows})


def _say_found(name: str, directory: Path) -> None:
    say_found("simulate", f"sample {name} {directory.name}", [directory / FINISHED])


def _directory(config: Config, process: ProcessConfig) -> Path:
    return config.output / "simulated" / digest(process, config.seed)
