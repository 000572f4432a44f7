"""The command line: `rootflow STEP --config FILE [key=value ...]`."""

import importlib
import json
import os
import shlex
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import click

from rootflow import __version__
from rootflow.commands.trial import trial
from rootflow.config import load
from rootflow.errors import RootflowError, UsageError

STEPS = {
    "main": "The whole chain: preprocess, train, evaluate, export.",
    "simulate": "Generate events and write them as ntuples.",
    "preprocess": "Read ntuples, select events, write the dataset.",
    "train": "Fit the network on all folds but one.",
    "evaluate": "Compare the network with the classic methods on the fold it has not seen.",
    "export": "Write ONNX files that agree with the network, and register them.",
    "tune": "Search for better settings in many trials, each a job.",
}
INTERRUPTED = 130
SIGNALLED = 128


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Take ROOT ntuples to a tracked, tuned, exported neural network."""


def _step_command(name: str, summary: str) -> click.Command:
    @click.command(name, help=summary + "\n\nSettings: key.path=value, as in the YAML.")
    @click.option(
        "--config", "path", type=Path, default=Path("configs/ttbar.yaml"), show_default=True
    )
    @click.option(
        "--overrides", default="", help="More settings, in one word: 'key=value key=value'."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
    @click.argument("settings", nargs=-1)
    def command(path: Path, overrides: str, as_json: bool, settings: tuple[str, ...]) -> None:
        try:
            more = shlex.split(overrides)
        except ValueError as error:
            raise UsageError(f"--overrides {overrides!r}: {error}") from None
        config = load(path, [*settings, *more])
        step: Any = importlib.import_module(f"rootflow.steps.{name}")
        result = step.run(config)
        if as_json:
            click.echo(json.dumps(result.as_json()))
        else:
            from rootflow.steps.show import show

            show(result)

    return command


for _name, _summary in STEPS.items():
    cli.add_command(_step_command(_name, _summary))
cli.add_command(trial)


@cli.command("sync")
@click.argument("spool", type=click.Path(exists=True, file_okay=False, path_type=Path))
def _sync(spool: Path) -> None:
    """Send to the tracking server what was kept in SPOOL, or below it, while it was away."""
    from rootflow.tracking import sync

    click.echo(f"{sync(spool)} entries sent")


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal calls it
    """End as ctrl-C does, so that the run says it was killed."""
    sys.exit(SIGNALLED + number)


def main() -> None:
    """Run the command line; exit 2 for wrong use, 1 for failure."""
    signal.signal(signal.SIGTERM, _stop)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's greetings are no news
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except RootflowError as error:
        click.echo(f"rootflow: {error}", err=True)
        sys.exit(error.exit_status)
    except OSError as error:  # a full disk, a directory that may not be written
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"rootflow: {where}{error.strerror or error}", err=True)
        sys.exit(RootflowError.exit_status)
