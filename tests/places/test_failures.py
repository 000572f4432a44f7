import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme

from far import HttpServer, XRootDServer, http_server, xrootd_server
from rootflow.errors import AwayError, InputError, UsageError
from rootflow.formats import find_files, open_table
from rootflow.places.access import PATIENCE

Server = XRootDServer | HttpServer


@pytest.fixture(params=["root", "http"])
def mortal(request: pytest.FixtureRequest, served: Path, tmp_path: Path) -> Iterator[Server]:
    """Return a server of one's own, to be stopped."""
    if request.param == "root":
        with xrootd_server(served, tmp_path / "work") as server:
            yield server
    else:
        with http_server(served) as server:
            yield server


def _read(url: str, between: Callable[[], object] = int) -> list[int]:
    """Return what a file has by entries, 4,000 at a time; something is done after the first."""
    (place,) = find_files([url])
    numbers: list[int] = []
    with open_table(place, "reco") as table:
        for start, stop in table.ranges(4_000):
            part = table.read(["eventNumber", "jet_pt_NOSYS"], start, stop)
            numbers += part["eventNumber"].to_list()
            if start == 0:
                between()
    return numbers


def test_a_server_that_is_gone_for_ten_seconds(
    mortal: Server, served: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    began = 0.0

    def gone() -> None:
        nonlocal began
        mortal.stop()
        began = time.monotonic()
        threading.Timer(10, mortal.start).start()

    assert _read(mortal.url("ttbar_0.root"), gone) == _read(f"{served / 'ttbar_0.root'}")
    assert 9 < time.monotonic() - began < 40
    told = capfd.readouterr().err
    assert told.count("the server is away") == 1
    assert "it is asked again for 60 seconds" in told


def test_a_server_that_stays_away(mortal: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE, "3")
    began = time.monotonic()
    url = mortal.url("ttbar_0.root")
    with pytest.raises(AwayError) as caught:
        _read(url, mortal.stop)
    assert str(caught.value).startswith(f"{url}: the server is away: ")
    assert "\n" not in str(caught.value)
    assert " at 0x" not in str(caught.value)
    assert time.monotonic() - began < 30


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE, "1")
    for url in ("root://localhost:1//f.root", "http://localhost:1/f.root"):
        with pytest.raises(AwayError, match=f"^{url}: the server is away: "):
            _read(url)


@pytest.mark.parametrize("server", ["xrootd", "web", "secure"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing.root", "there is no such file"),
        ("sub/none.root", "the file is empty"),
        ("sub/text.root", "not a whole ROOT file"),
    ],
)
def test_what_is_no_file_of_events(
    server: str, name: str, said: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(server).url(name)
    with pytest.raises(InputError, match=f"^{url}: {said}"):
        _read(url)


def test_a_folder(xrootd: XRootDServer) -> None:
    with pytest.raises(InputError, match="it is a folder, not a file"):
        _read(xrootd.url("sub"))


def test_half_a_file(xrootd: XRootDServer, web: HttpServer, served: Path) -> None:
    half = served / "half.root"
    content = (served / "ttbar_0.root").read_bytes()
    half.write_bytes(content[: len(content) // 2])
    for server in (xrootd, web):
        with pytest.raises(InputError, match="it may be truncated"):
            _read(server.url(half.name))


def test_what_one_may_not_read(xrootd: XRootDServer, served: Path) -> None:
    path = served / "forbidden.root"
    path.write_bytes((served / "ttbar_0.root").read_bytes())
    path.chmod(0)
    if os.access(path, os.R_OK) and os.geteuid() != 0:
        pytest.fail("a file without permissions can be read here")
    try:
        with pytest.raises(InputError, match="credentials come by the environment: X509_USER_PR"):
            _read(xrootd.url(path.name))
    finally:
        path.unlink()


def test_a_token_goes_to_who_asks_for_one_over_tls(
    secure: HttpServer, web: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for server in (secure, web):
        monkeypatch.setattr(server, "token", "SECRET")
        url = server.url("ttbar_0.root")
        with pytest.raises(InputError, match=r"the server answers 401: .*BEARER_TOKEN") as caught:
            _read(url)
        assert "SECRET" not in str(caught.value)
    monkeypatch.setenv("BEARER_TOKEN", "SECRET")
    secure.received.clear()
    assert len(_read(secure.url("ttbar_0.root"))) == 20_000
    assert "Authorization" not in secure.received[0][1]
    web.received.clear()
    with pytest.raises(InputError, match="the server answers 401"):
        _read(web.url("ttbar_0.root"))
    assert not any("Authorization" in headers for _, headers in web.received)


def test_a_token_that_is_renewed(
    secure: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(file))
    for token in ("first", "second"):
        file.write_text(f"{token}\n")
        monkeypatch.setattr(secure, "token", token)
        assert len(_read(secure.url("ttbar_0.root"))) == 20_000
    file.unlink()
    with pytest.raises(UsageError, match=f"BEARER_TOKEN_FILE: {file} cannot be read"):
        _read(secure.url("ttbar_0.root"))


def test_a_server_that_is_not_trusted(served: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    said = r"certificate is not trusted: .*unable to get local issuer .*SSL_CERT_FILE"
    with http_server(served, context) as server, pytest.raises(InputError, match=said):
        _read(server.url("ttbar_0.root"))


def test_a_busy_server_is_asked_again(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "statuses", [429, 503, 500])
    assert len(_read(web.url("ttbar_0.root"))) == 20_000
    assert web.statuses == []


def test_a_busy_server_that_stays_so(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE, "1")
    monkeypatch.setattr(web, "statuses", [503] * 100)
    with pytest.raises(AwayError, match="the server is away: it answers 503"):
        _read(web.url("ttbar_0.root"))


def test_a_server_without_ranges(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "ranges", False)
    with pytest.raises(InputError, match="the server gives no parts of files"):
        _read(web.url("ttbar_0.root"))


@pytest.mark.parametrize("text", ["soon", "-1", "inf", "nan"])
def test_patience_is_a_number(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE, text)
    with pytest.raises(UsageError, match=f"{PATIENCE}: '{text}' is no number of seconds"):
        _read("http://localhost:1/f.root")


@pytest.mark.parametrize("url", ["s3://bucket/f.root", "gs://bucket/f.root", "xyz://host/f.root"])
def test_a_protocol_without_its_package(url: str) -> None:
    with pytest.raises(UsageError, match=f"^{url.partition('/')[0]}// "):
        _read(url)


def test_xrootd_after_tensorflow(xrootd: XRootDServer) -> None:
    """Loaded after TensorFlow the client takes symbols of it for its own, if it is let."""
    code = (
        "import tensorflow\n"
        "from rootflow.formats import find_files, open_table\n"
        f"(place,) = find_files([{xrootd.url('ttbar_0.root')!r}])\n"
        "with open_table(place) as table: print(len(table.read(['eventNumber'], 0, 9)), 'branch')"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr[-500:]
    assert answer.stdout.strip() == "1 branch"


@pytest.mark.parametrize(
    ("package", "url"),
    [("fsspec_xrootd", "root://host//f.root"), ("aiohttp", "https://host/f.root")],
)
def test_what_the_extra_remote_has_is_not_there(package: str, url: str) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from rootflow.errors import UsageError\n"
        "from rootflow.formats import find_files, open_table\n"
        f"try: open_table(*find_files([{url!r}])).__enter__()\n"
        "except UsageError as error: print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == (
        f"{url.partition('/')[0]}// needs a package that is not there: "
        "pip install 'rootflow[remote]'"
    ), answer.stderr


def test_what_a_server_leads_to_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    class Leading(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(307)
            self.send_header("Location", "dav://me:hush@door.example/a.root?authz=hush#hush")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv(PATIENCE, "0")
    with HTTPServer(("127.0.0.1", 0), Leading) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with pytest.raises(AwayError, match=r"door\.example/a\.root") as caught:
                _read(f"http://127.0.0.1:{server.server_port}/a.root")
        finally:
            server.shutdown()
    assert "hush" not in str(caught.value)
