"""Finding HTCondor's daemons, or unpacking them where they are not installed."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rootflow.errors import RootflowError
from rootflow.files import alone_in, cache, whole_directory

SUITE = "forky"  # the Debian release that has HTCondor 25
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# The libraries that HTCondor's programs load, under the names Debian has given them.
LIBRARIES = re.compile(
    r"condor|zlib1g|libc6|libcrypt1|libgcc-s1|libstdc\+\+6|libgomp1|libssl\d+(t64)?|libzstd1"
    r"|libsqlite3-0|libuuid1|libpcre2-8-0|libexpat1|libcom-err2|libkeyutils1|libk5crypto3"
    r"|libkrb5-3|libkrb5support0|libgssapi-krb5-2"
)
PATCHELF = "patchelf"
ELF = b"\x7fELF"
APT_SETTINGS = """\
Dir "{root}";
Dir::State::status "{root}/var/lib/dpkg/status";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Retries "3";
Debug::NoLocking "true";
"""
OR_ELSE = "install HTCondor and put condor_master on PATH"


class Release(NamedTuple):
    """Where HTCondor's programs are."""

    root: Path
    libraries: Path
    helpers: Path

    @property
    def master(self) -> Path:
        """The daemon that starts all others."""
        return self.root / "sbin" / "condor_master"


def find_or_install() -> Release:
    """Return HTCondor as it is on PATH, or unpacked in the user's cache, now if need be.

    Raises
    ------
    RootflowError
        It is not there and cannot be had from Debian's packages.
    """
    master = shutil.which("condor_master")
    if master is not None:
        return _release(Path(master).resolve().parents[1])
    target = cache() / "condor"
    with alone_in(target.parent):
        if not target.exists():
            _install(target)
    return _release(target / "usr")


def _release(root: Path) -> Release:
    """Return the places of a Debian package, an RPM or a tarball."""
    libraries = _first(root / "lib/condor", root / "lib64/condor", root / "lib")
    return Release(root, libraries, _first(root / "libexec/condor", root / "libexec"))


def _first(*candidates: Path) -> Path:
    return next((path for path in candidates if path.is_dir()), candidates[-1])


def _install(target: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, whole_directory(target) as partial:
        _unpack(_download(Path(scratch)), partial)
        # Patched by its own loader: it needs the C library that came with it.
        loader = [str(_interpreter(partial)), "--library-path", str(_libraries(partial))]
        patchelf = [*loader, str(partial / "usr/bin" / PATCHELF)]
        for file in _programs(partial):
            _point_to_own_libraries(file, patchelf, partial, target)
    version = target / "usr/bin/condor_version"
    try:
        _run([str(version)], {"CONDOR_CONFIG": "/dev/null"})
    except RootflowError:
        shutil.rmtree(target)
        raise


def _download(scratch: Path) -> list[Path]:
    """Have apt fetch the packages, checked against Debian's keys, with a state of its own."""
    mirror = _mirror()
    for name in (
        "etc/apt/preferences.d",
        "etc/apt/apt.conf.d",
        "etc/apt/trusted.gpg.d",
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "var/lib/dpkg",
        "packages",
    ):
        (scratch / name).mkdir(parents=True)
    (scratch / "var/lib/dpkg/status").touch()
    (scratch / "etc/apt/sources.list").write_text(
        f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n"
    )
    settings = scratch / "apt.conf"
    settings.write_text(APT_SETTINGS.format(root=scratch))
    environment = {"APT_CONFIG": str(settings)}
    _run(["apt-get", "-qq", "update"], environment)
    plan = _run(["apt-get", "--simulate", "install", "condor", "zlib1g", PATCHELF], environment)
    names = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    wanted = [name for name in names if name == PATCHELF or LIBRARIES.fullmatch(name)]
    _run(["apt-get", "-qq", "download", *wanted], environment, scratch / "packages")
    return sorted((scratch / "packages").glob("*.deb"))


def _mirror() -> str:
    """Return the Debian mirror that this machine uses."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise RootflowError(f"HTCondor is not installed, and there is no {program}: {OR_ELSE}")
    if not KEYRING.exists():
        raise RootflowError(
            f"HTCondor is not installed, and Debian's keys are not in {KEYRING}: "
            f"install debian-archive-keyring, or {OR_ELSE}"
        )
    targets = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages"]
    for address in _run(targets, {}).split():
        if address.rstrip("/").endswith("/debian"):
            return address
    raise RootflowError(f"HTCondor is not installed, and apt knows no Debian mirror: {OR_ELSE}")


def _unpack(packages: Sequence[Path], directory: Path) -> None:
    for package in packages:
        _run(["dpkg-deb", "-x", str(package), str(directory)], {})
    for name in ("doc", "man", "locale", "lintian", "bash-completion"):
        shutil.rmtree(directory / "usr/share" / name, ignore_errors=True)


def _programs(directory: Path) -> list[Path]:
    usr = directory / "usr"
    patterns = ("bin/*", "sbin/*", "libexec/condor/*", "lib/libcondor_utils*", "lib/libclassad*")
    files = [file for pattern in patterns for file in usr.glob(pattern)]
    own = (file for file in files if file.is_file() and not file.is_symlink())
    return [file for file in own if file.name != PATCHELF and _is_elf(file)]


def _is_elf(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(ELF)) == ELF


def _point_to_own_libraries(
    file: Path, patchelf: Sequence[str], partial: Path, target: Path
) -> None:
    libraries = _libraries(partial)
    own = [target / libraries.relative_to(partial), target / "usr/lib"]
    change = ["--force-rpath", "--set-rpath", ":".join(map(str, own))]
    if ".so" not in file.name:
        interpreter = target / _interpreter(partial).relative_to(partial)
        change += ["--set-interpreter", str(interpreter)]
    _run([*patchelf, *change, str(file)], {})


def _libraries(directory: Path) -> Path:
    return next((directory / "usr/lib").glob("*-linux-gnu"))


def _interpreter(directory: Path) -> Path:
    return next(_libraries(directory).glob("ld-linux*.so.*"))


def _run(
    command: Sequence[str], environment: Mapping[str, str], directory: Path | None = None
) -> str:
    """Run a command and return what it printed; its last line of complaint is the error."""
    answer = subprocess.run(  # noqa: S603 - words of this module, no shell
        command,
        env={**os.environ, **environment},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        complaint = (answer.stderr or answer.stdout).strip().splitlines() or ["no reason given"]
        what = Path(command[0]).name
        raise RootflowError(f"HTCondor could not be installed: {what}: {complaint[-1]}; {OR_ELSE}")
    return answer.stdout
