"""The command line: `rootflow STEP --config FILE [key=value ...]`."""

import atexit
import gc
import importlib
import locale
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import click

from rootflow import __version__
from rootflow.commands.apply import apply
from rootflow.commands.dag import node
from rootflow.commands.jobs import follow, jobs, submit
from rootflow.commands.options import (
    AS_JSON,
    CONFIG,
    FOLDER,
    OTHER_CODE,
    OVERRIDES,
    START,
    STYLE,
    tell,
)
from rootflow.commands.pack import pack
from rootflow.commands.pool import pool
from rootflow.commands.registry import registry
from rootflow.config.command import configured
from rootflow.errors import RootflowError, UsageError
from rootflow.secrets import hidden
from rootflow.training.devices import NO_TENSORFLOW

STEPS = {
    "main": "The whole chain: preprocess, train, evaluate, export.",
    "simulate": "Generate events and write them as ntuples.",
    "preprocess": "Read ntuples, select events, write the dataset.",
    "train": "Fit the model on all folds but one, or with each held out in its turn.",
    "evaluate": "Compare the model with others on events that it has not seen.",
    "export": "Write ONNX files that agree with the model, and register them.",
    "tune": "Search for better settings in many trials, each a job.",
}
MORE_OPTIONS = {
    "evaluate": [
        click.option(
            "--model",
            default="",
            metavar="MODEL",
            help="An exported model, as it is, on the configuration's data: models:/NAME/VERSION, "
            "models:/NAME@ALIAS, an ONNX file, the folder with its folds.json, or the id of a "
            "run; or the name of a configured one.",
        ),
        OTHER_CODE,
    ],
    "export": [
        click.option(
            "--model",
            default="",
            metavar="NAME|RUN",
            help="Another model than the configured one: one beside it, by its name, or the "
            "training of a run, by its id.",
        )
    ],
}
UTF8 = ("utf-8", "utf8")
INTERRUPTED = 130
SIGNALLED = 128


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Take ROOT ntuples to a tracked, tuned, exported neural network."""


def _step_command(name: str, summary: str) -> click.Command:
    @click.command(name, help=summary + "\n\nSettings: key.path=value, as in the YAML.")
    @CONFIG
    @OVERRIDES
    @AS_JSON
    @click.argument("settings", nargs=-1)
    def command(
        path: Path, overrides: str, as_json: bool, settings: tuple[str, ...], **more: str
    ) -> None:
        config = configured(path, settings, overrides)
        step: Any = importlib.import_module(f"rootflow.steps.{name}")
        result = step.run(config, **more)
        tell(result, as_json)

    for option in MORE_OPTIONS.get(name, []):
        option(command)
    return command


for _name, _summary in STEPS.items():
    cli.add_command(_step_command(_name, _summary))
for _command in (apply, follow, jobs, node, pack, pool, registry, submit):
    cli.add_command(_command)


@cli.command("compare")
@click.argument("runs", nargs=-1, metavar="RUN RUN ...")
@click.option("--output", type=FOLDER, help="Directory that gets table and figure, too.")
@click.option(
    "--replicas",
    type=click.IntRange(2, 100_000),
    default=500,
    show_default=True,
    help="Of the bootstrap.",
)
@click.option("--seed", type=click.IntRange(min=0), default=42, show_default=True)
@STYLE
@AS_JSON
def compare(
    runs: tuple[str, ...], output: Path | None, replicas: int, seed: int, style: str, as_json: bool
) -> None:
    """Compare the models of two or more MLflow runs of evaluate or main, event by event."""
    from rootflow.steps import compare as step

    result = step.run(runs, replicas=replicas, seed=seed, style=style, output=output)
    tell(result, as_json)


@cli.command("draw")
@click.argument("directory", type=FOLDER)
@STYLE
@click.option(
    "--output",
    type=FOLDER,
    help="Directory that gets figures and report; else the evaluation's own.",
)
def draw(directory: Path, style: str, output: Path | None) -> None:
    """Draw figures and report of an evaluation of any analysis again, from its results alone.

    DIRECTORY holds evaluation.json and provenance.json, as the run of evaluate has them.
    """
    from rootflow.evaluation import draw_evaluation

    figures = draw_evaluation(directory, style, output)
    click.echo(f"{len(figures)} files in {figures[0].parent}, and report.html")


@cli.command("cplusplus")
@click.argument(
    "paths", nargs=-1, metavar="FILE.onnx ...", type=click.Path(dir_okay=False, path_type=Path)
)
@click.option("--output", required=True, type=FOLDER, help="New directory that gets the files.")
def cplusplus(paths: tuple[Path, ...], output: Path) -> None:
    """Write a C++ header of exported models, and a program that uses it.

    Files of one model and several folds share a header, which picks by the event number.
    """
    from rootflow.cplusplus.write import write_cplusplus

    written = write_cplusplus(paths, output)
    click.echo(f"{', '.join(path.name for path in written)} in {output}")


@cli.command("trial")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@START
@click.option(
    "--others",
    "seconds",
    type=float,
    help="Then others of the study that wait, for so many seconds in all: what its job does.",
)
@click.option(
    "--dataset",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="That was carried here, with all else that the trial needs.",
)
def trial(directory: Path, start: Path, seconds: float | None, dataset: Path | None) -> None:
    """Measure one trial of a study in its DIRECTORY, or go on with it."""
    directory, dataset = directory.resolve(), dataset and dataset.resolve()
    os.chdir(start)
    if seconds is not None:
        from rootflow.steps import trial_job

        trial_job.run(directory, seconds)
        return
    from rootflow.steps import trial as step

    step.run(directory, dataset)


@cli.command("sync")
@click.argument("spool", type=click.Path(exists=True, file_okay=False, path_type=Path))
def _sync(spool: Path) -> None:
    """Send to the tracking server what was kept in SPOOL, or below it, while it was away."""
    from rootflow.tracking.connection import sync

    click.echo(f"{sync(spool)} entries sent")


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal calls it
    """End as ctrl-C does, so that the run says it was killed."""
    sys.exit(SIGNALLED + number)


def _in_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale has another encoding.

    Names of files, and what is in them, are UTF-8 whatever the terminal is.
    """
    if sys.flags.utf8_mode or locale.getpreferredencoding(False).lower() in UTF8:
        return
    os.environ["PYTHONUTF8"] = "1"  # of what this starts, too
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606


def _require_text(words: Sequence[str]) -> None:
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{word!a} is no UTF-8 text") from None


def main() -> None:
    """Run the command line; exit 2 for wrong use, 1 for failure."""
    _in_utf8()
    signal.signal(signal.SIGTERM, _stop)
    gc.set_threshold(10_000)  # little of what TensorFlow makes as it is imported is garbage
    atexit.register(gc.freeze)  # TensorFlow's graphs take two seconds to collect one by one
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's greetings are no news,
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # nor is that each fold has a graph
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # jobs may share a GPU
    bars = "true" if sys.stderr.isatty() else "false"
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", bars)
    try:
        _require_text(sys.argv)
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise
        click.echo(f"rootflow: {NO_TENSORFLOW}", err=True)
        sys.exit(UsageError.exit_status)
    except RootflowError as error:
        click.echo(f"rootflow: {hidden(str(error))}", err=True)
        sys.exit(error.exit_status)
    except OSError as error:  # a full disk, a directory that may not be written
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"rootflow: {where}{error.strerror or error}", err=True)
        sys.exit(RootflowError.exit_status)
    except MemoryError as error:
        click.echo(f"rootflow: there is not enough memory: {error}", err=True)
        sys.exit(RootflowError.exit_status)
