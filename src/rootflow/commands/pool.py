"""`rootflow pool up|down|status`: a personal HTCondor pool."""

import shlex
from pathlib import Path

import click

from condor_pool import Pool, default_directory
from rootflow.batch.schedd import forget, remember


@click.group("pool")
def pool() -> None:
    """Run a real HTCondor pool on this machine."""


_directory = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_directory,
    show_default="~/.cache/rootflow/pool",
    help="Where the pool keeps its configuration, logs and queue.",
)


@pool.command("up")
@_directory
@click.option(
    "--cpus", type=click.IntRange(1, 10_000), help="Jobs that run at once [default: cores]."
)
def _up(directory: Path, cpus: int | None) -> None:
    """Start the pool, or find it running, and say how to use it.

    HTCondor's programs are taken from PATH; where they are not there they are unpacked from
    Debian's packages into ~/.cache/rootflow, without changing the system.
    """
    from condor_pool import up

    state = up(directory, cpus)
    if state.pid is not None:
        remember(state.config, state.pid)
    _show(state)


@pool.command("down")
@_directory
def _down(directory: Path) -> None:
    """Stop the pool and its jobs; the queue is kept for the next `up`."""
    from condor_pool import down

    forget(directory.resolve() / "condor_config")
    click.echo("stopped" if down(directory) else f"no pool runs in {directory}", err=True)


@pool.command("status")
@_directory
def _status(directory: Path) -> None:
    """Say whether the pool runs, and what its jobs do."""
    from condor_pool import status

    _show(status(directory))


def _show(state: Pool) -> None:
    if state.pid is None:
        click.echo(f"no pool runs in {state.directory}: start it with rootflow pool up", err=True)
        return
    click.echo(
        f"pool of {state.cpus} cpus in {state.directory} (process {state.pid}): {state.idle} jobs "
        f"idle, {state.running} running, {state.held} held",
        err=True,
    )
    click.echo(
        f"rootflow finds it by itself; condor_q and HTCondor's other commands are in "
        f'{state.programs}: with the lines below, or eval "$(rootflow pool status)", they run '
        "from everywhere",
        err=True,
    )
    click.echo(f"export CONDOR_CONFIG={shlex.quote(str(state.config))}")
    click.echo(f"export PATH={shlex.quote(str(state.programs))}:$PATH")
