"""Servers of one folder of files, for all tests of places."""

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from far import HttpServer, XRootDServer, http_server, xrootd_server


@pytest.fixture(scope="session")
def served(ttbar_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all servers have, with the shipped sample in it."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(ttbar_files[0], folder / "ttbar_0.root")
    (folder / "sub").mkdir()
    (folder / "sub" / "none.root").write_bytes(b"")
    (folder / "sub" / "text.root").write_text("this is no ROOT file\n" * 100)
    return folder


@pytest.fixture(scope="session")
def xrootd(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[XRootDServer]:
    """Return a server of XRootD."""
    with xrootd_server(served, tmp_path_factory.mktemp("xrootd") / "work") as server:
        yield server


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssl.SSLContext]:
    """Return a certificate of this machine, whose authority is trusted meanwhile."""
    authority = trustme.CA()
    trusted = tmp_path_factory.mktemp("authorities") / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(trusted))
        yield context


@pytest.fixture(scope="session", autouse=True)
def _trusted(certificate: ssl.SSLContext) -> None:
    """Have the authority trusted before the first client is made."""


@pytest.fixture(scope="session")
def web(served: Path) -> Iterator[HttpServer]:
    """Return a server over plain HTTP."""
    with http_server(served) as server:
        yield server


@pytest.fixture(scope="session")
def secure(served: Path, certificate: ssl.SSLContext) -> Iterator[HttpServer]:
    """Return a server over TLS."""
    with http_server(served, certificate) as server:
        yield server
