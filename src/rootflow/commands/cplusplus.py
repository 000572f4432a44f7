"""`rootflow cplusplus FILE.onnx ... --output DIR`."""

from pathlib import Path

import click


@click.command("cplusplus")
@click.argument(
    "paths", nargs=-1, metavar="FILE.onnx ...", type=click.Path(dir_okay=False, path_type=Path)
)
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="New directory that gets the files.",
)
def cplusplus(paths: tuple[Path, ...], output: Path) -> None:
    """Write a C++ header of exported ttbar networks, and a program that uses it.

    Files of one network and several folds share a header, which picks by the event number.
    """
    from rootflow.cplusplus import write_cplusplus

    written = write_cplusplus(paths, output)
    click.echo(f"{', '.join(path.name for path in written)} in {output}")
