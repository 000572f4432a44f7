"""A Python with all that is installed in it, as one file that a node can unpack anywhere.

What is packed is the interpreter, its own library and the packages, for nodes that have the system
libraries of the machine that packed and no Python of use.
"""

import io
import json
import subprocess
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rootflow.errors import InputError
from rootflow.files import whole_file
from rootflow.progress import progress

ABOUT = "packed-environment.json"
# Quick: most of the time of a job's start is unpacking.
COMPRESSION = 1
# Of Python's own library, what no job needs.
NEVER = {"site-packages", "dist-packages", "test", "idlelib", "turtledemo", "ensurepip"}
SAID = """
import json, os, sys, sysconfig
shared = sysconfig.get_config_var("Py_ENABLE_SHARED")
library = os.path.join(*sysconfig.get_config_vars("LIBDIR", "INSTSONAME")) if shared else ""
print(json.dumps({
    "interpreter": os.path.realpath(sys._base_executable),
    "library": library,
    "standard": sysconfig.get_path("stdlib"),
    "packages": sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
    "scripts": sysconfig.get_path("scripts"),
    "version": "%d.%d" % sys.version_info[:2],
}))
"""
# What scripts begin with, so that they take the Python beside them, wherever that is.
BESIDE = b"""\
#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"
' '''
"""


class Environment(NamedTuple):
    """Where the parts of a Python are; `library` is empty where the interpreter needs none."""

    interpreter: str
    library: str
    standard: str
    packages: list[str]
    scripts: str
    version: str


class Packed(NamedTuple):
    """What a packed environment says of itself."""

    python: str  # 3.11
    files: int
    bytes: int  # unpacked


def pack(python: Path, file: Path) -> Packed:
    """Write the environment of a Python into a file (.tar.gz), whole or not at all.

    Packages that are installed from a folder (editable) are packed as they are there now. One whose
    place only its own code knows is an InputError, as is a Python that does not run.
    """
    environment = _look_at(python)
    members = dict(_members(environment))
    size = sum(path.stat().st_size for path in members.values())
    packed = Packed(environment.version, len(members), size)
    with (
        whole_file(file) as partial,
        tarfile.open(partial, "w:gz", compresslevel=COMPRESSION, dereference=True) as archive,
        progress("pack", len(members), "files") as advance,
    ):
        _add(archive, ABOUT, json.dumps(packed._asdict()).encode())
        for name, path in members.items():
            if name.startswith("bin/") and (script := _relocated(path)) is not None:
                _add(archive, name, script, 0o755)
            else:
                archive.add(path, name, recursive=False)
            advance()
        for link in ("bin/python", "bin/python3"):
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, f"python{environment.version}"
            archive.addfile(entry)
    return packed


def packed_in(file: Path) -> Packed:
    """Return what a packed environment says of itself; another file is an InputError."""
    try:
        with tarfile.open(file) as archive:
            first = archive.next()
            content = archive.extractfile(first) if first and first.name == ABOUT else None
            if content is not None:
                return Packed(**json.loads(content.read()))
    except FileNotFoundError:
        raise InputError(f"packed_environment: {file} is not there: rootflow pack {file}") from None
    except (tarfile.TarError, OSError, EOFError, ValueError, TypeError, zlib.error):
        pass
    raise InputError(f"packed_environment: {file} is none: make it with rootflow pack {file}")


def _look_at(python: Path) -> Environment:
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own Python
            [str(python), "-I", "-c", SAID], capture_output=True, text=True, check=True
        )
        return Environment(**json.loads(answer.stdout))
    except (OSError, subprocess.CalledProcessError, ValueError):
        raise InputError(f"{python}: this is no Python that runs") from None


def _members(environment: Environment) -> Iterator[tuple[str, Path]]:
    """Yield the name in the archive, and the file, of all that is packed."""
    library = f"lib/python{environment.version}"
    standard = Path(environment.standard)
    for path in _files(standard):
        top = path.relative_to(standard).parts[0]
        if top not in NEVER and not top.startswith("config-"):
            yield f"{library}/{path.relative_to(standard)}", path
    for place in map(Path, environment.packages):
        for folder in (place, *_installed_from(place)):
            for path in _files(folder):
                name = path.relative_to(folder)
                if not (len(name.parts) == 1 and path.suffix == ".pth" and _names_a_folder(path)):
                    yield f"{library}/site-packages/{name}", path
    scripts = Path(environment.scripts)
    for path in sorted(scripts.iterdir()):
        if path.is_file() and not path.name.startswith(("python", "activate")):
            yield f"bin/{path.name}", path
    yield f"bin/python{environment.version}", Path(environment.interpreter)
    if environment.library:
        yield f"lib/{Path(environment.library).name}", Path(environment.library)


def _installed_from(packages: Path) -> Iterator[Path]:
    """Yield the folders that packages are imported from without being installed there."""
    for path in sorted(packages.glob("*.pth")):
        for line in path.read_text().splitlines():
            if line.startswith("import ") and "__editable__" in line:
                raise InputError(
                    f"{path.stem}: it is installed from a folder that only its own code knows: "
                    "install it without --editable, and pack again"
                )
            if line.strip() and not line.startswith(("import ", "import\t", "#")):
                folder = packages / line.strip()
                if folder.is_dir():
                    yield folder.resolve()


def _names_a_folder(path: Path) -> bool:
    return not any(line.startswith("import") for line in path.read_text().splitlines())


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _relocated(script: Path) -> bytes | None:
    """Return a script that knows its Python's place, as one that does not; None for all others."""
    content = script.read_bytes()
    first, _, rest = content.partition(b"\n")
    if first.startswith(b"#!/") and b"python" in first:
        return BESIDE + rest
    return None


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
