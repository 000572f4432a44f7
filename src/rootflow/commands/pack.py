"""`rootflow pack`: an environment as one file, for nodes without one."""

import sys
from pathlib import Path

import click

GIB = 1024**3


@click.command("pack")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--python",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(sys.executable),
    help="Python whose environment is packed [this one].",
)
def pack(file: Path, python: Path) -> None:
    """Write Python and all that is installed in it into FILE (.tar.gz), to be unpacked anywhere.

    A profile with `packed_environment: FILE` has HTCondor carry it to the node.
    """
    from rootflow.batch.packing import pack as write

    packed = write(python, file)
    size = file.stat().st_size / GIB
    click.echo(
        f"{file}: Python {packed.python}, {packed.files} files, {size:.2f} GiB, "
        f"{packed.bytes / GIB:.2f} GiB unpacked"
    )
