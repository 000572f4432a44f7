import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from far import HttpServer, XRootDServer
from rootflow.dataset.digest import Contents
from rootflow.formats import find_files


@pytest.fixture
def file(served: Path) -> Iterator[Path]:
    """A file of more than is read at once, whose checksum begins with a zero."""
    path = served / "content.root"
    content = bytes(range(256)) * 40_000
    while zlib.adler32(content) >> 28:
        content += b"\1"
    path.write_bytes(content)
    yield path
    path.unlink()


def _wanted(file: Path) -> str:
    return f"adler32:{zlib.adler32(file.read_bytes()):08x}"


@pytest.mark.parametrize("threads", [1, 3])
def test_here(file: Path, threads: int) -> None:
    found = Contents(threads=threads).of(file)
    assert (found.checksum, found.checksum_from) == (_wanted(file), "read")


def test_xrootd_is_asked(file: Path, xrootd: XRootDServer) -> None:
    found = Contents().of(*find_files([xrootd.url(file.name)]))
    assert (found.checksum, found.checksum_from) == (_wanted(file), "server")
    assert found.bytes == file.stat().st_size


@pytest.mark.parametrize(("tells", "told_by"), [(True, "server"), (False, "read")])
def test_a_web_server_that_tells_none_is_read(
    file: Path, web: HttpServer, tells: bool, told_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "digests", tells)
    found = Contents().of(*find_files([web.url(file.name)]))
    assert (found.checksum, found.checksum_from) == (_wanted(file), told_by)


def test_what_was_read_is_remembered_until_it_is_changed(
    file: Path, web: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "digests", False)
    (place,) = find_files([web.url(f"{file.name}?signature=SECRET")])

    def asked() -> tuple[str, int]:
        web.received.clear()
        known = Contents(tmp_path)
        checksum = known.of(place).checksum
        known.keep()
        return checksum, len(web.received)

    first, many = asked()
    again, once = asked()
    assert first == again == _wanted(file)
    assert once == 1 < many
    (remembered,) = tmp_path.iterdir()
    assert "SECRET" not in remembered.read_text()
    file.write_bytes(b"x" + file.read_bytes()[1:])
    os.utime(file, (1e9, 1e9))
    changed, many = asked()
    assert changed == _wanted(file) != first
    assert many > 1
