"""Real servers of files on this machine: XRootD, and HTTP with and without TLS."""

import functools
import http.server
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from made_by_script import made_by_script
from servers import free_port

PROJECT = Path(__file__).parents[1]
XROOTD = PROJECT / ".xrootd" / "xrootd"


@functools.cache
def xrootd_program() -> Path:
    """Return the program of XRootD's server."""
    made_by_script("xrootd.sh", "there is no server of XRootD")
    return XROOTD


class XRootDServer:
    """A server of a folder's files that can be stopped and started again at the same port."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._work = work
        self._process: subprocess.Popen[bytes] | None = None
        work.mkdir()
        self._settings = work / "xrootd.cfg"
        self._settings.write_text(
            f"xrd.port {self.port}\n"
            "all.export /\n"
            f"oss.localroot {folder}\n"
            f"all.adminpath {work}/admin\n"
            f"all.pidpath {work}/pid\n"
            "xrootd.chksum adler32\n"
        )

    def url(self, name: str) -> str:
        """Return the URL of a file of the folder."""
        return f"root://localhost:{self.port}//{name}"

    def start(self) -> None:
        """Serve, and return when it answers."""
        command = [xrootd_program(), "-c", self._settings, "-l", self._work / "log", "-n", "far"]
        if os.geteuid() == 0:  # as which it refuses to run
            command = ["unshare", "--user", "--map-user=1", "--map-group=1", *command]
        log = self._work / "start.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=self._work, stdout=output, stderr=output, start_new_session=True
            )
        for _ in range(240):
            with suppress(OSError), socket.create_connection(("localhost", self.port), 1):
                return
            time.sleep(0.1)
        self.stop()
        raise AssertionError(log.read_text())

    def stop(self) -> None:
        """End it at once, as one does that dies."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def xrootd_server(folder: Path, work: Path) -> Iterator[XRootDServer]:
    """Yield a server of the files of a folder, with a new folder for its own."""
    server = XRootDServer(folder, work)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class HttpServer:
    """A server of a folder's files, with index pages, which can be told to answer otherwise.

    `token` is what it asks for, `statuses` are answered first, one by one, `ranges` and `digests`
    say what it knows, and `received` are the paths and headers of all requests. It `spoils` what it
    takes.
    """

    def __init__(self, folder: Path, certificate: ssl.SSLContext | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.token: str | None = None
        self.statuses: list[int] = []
        self.ranges = self.digests = True
        self.index = True
        self.spoils = False
        self.received: list[tuple[str, dict[str, str]]] = []
        self._certificate = certificate
        self._server: http.server.ThreadingHTTPServer | None = None

    def url(self, name: str) -> str:
        """Return the URL of a file of the folder."""
        return f"{'https' if self._certificate else 'http'}://localhost:{self.port}/{name}"

    def start(self) -> None:
        """Serve from now on."""
        handler = functools.partial(_Handler, self, directory=str(self.folder))
        self._server = _Server(("localhost", self.port), handler)
        if self._certificate is not None:
            self._server.socket = self._certificate.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on, and answer no more on those that there are."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def is_up(self) -> bool:
        return self._server is not None


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of who went away before the answer."""


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # which waits between the head and the rest of an answer

    def __init__(self, server: HttpServer, *arguments: object, directory: str) -> None:
        self._told = server
        super().__init__(*arguments, directory=directory)

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(content=False)

    def do_GET(self) -> None:
        self._answer(content=True)

    def do_PUT(self) -> None:
        if self._is_refused():
            return
        content = b""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            content = self.rfile.read(int(self.headers["Content-Length"]))
        if self._told.spoils:
            content = content[:-1] + b"?"
        Path(self.translate_path(self.path)).write_bytes(content)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _is_refused(self) -> bool:
        told = self._told
        told.received.append((self.path, dict(self.headers)))
        if not told.is_up:
            self.close_connection = True
            return True
        status = told.statuses.pop(0) if told.statuses else 0
        if (
            not status
            and told.token
            and self.headers.get("Authorization") != f"Bearer {told.token}"
        ):
            status = 401
        if status:
            self.send_error(status)
        return bool(status)

    def _answer(self, content: bool) -> None:
        if self._is_refused():
            return
        told, path = self._told, Path(self.translate_path(self.path))
        if path.is_dir() or not path.exists():
            if path.is_dir() and not told.index:
                self.send_error(403)
                return
            super().do_GET() if content else super().do_HEAD()
            return
        size = path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, stop = 0, size
        if asked and told.ranges:
            start, stop = int(asked[1]), min(int(asked[2] or size) + 1, size)
            if start >= size:
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        else:
            self.send_response(200)
        if told.digests and "adler32" in self.headers.get("Want-Digest", ""):
            self.send_header("Digest", f"adler32={zlib.adler32(path.read_bytes()):x}")
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Last-Modified", self.date_time_string(path.stat().st_mtime))
        self.end_headers()
        if content:
            with path.open("rb") as file:
                file.seek(start)
                self.wfile.write(file.read(stop - start))


@contextmanager
def http_server(folder: Path, certificate: ssl.SSLContext | None = None) -> Iterator[HttpServer]:
    """Yield a server of the files of a folder, over TLS where it has a certificate."""
    server = HttpServer(folder, certificate)
    server.start()
    try:
        yield server
    finally:
        server.stop()
