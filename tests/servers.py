"""A real MLflow server that tests start and stop."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        return int(taken.getsockname()[1])


def serve(
    directory: Path, port: int, store: str, *words: str, **variables: str
) -> "subprocess.Popen[bytes]":
    """Return a server that answers, with one worker.

    Its store is a SQLite file in `directory`, or another database by its URL.
    """
    command = [sys.executable, "-m", "mlflow", "server"]
    uri = store if "://" in store else f"sqlite:///{directory / store}"
    command += ["--backend-store-uri", uri]
    command += ["--artifacts-destination", str(directory / "artifacts")]
    command += ["--port", str(port), "--workers", "1", *words]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"} | variables
    with (directory / "server.log").open("ab") as log:
        server = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    for _ in range(240):
        try:
            with urlopen(f"http://localhost:{port}/health", timeout=1):
                return server
        except (URLError, OSError):
            time.sleep(0.5)
    stop(server)
    raise AssertionError((directory / "server.log").read_text())


def stop(server: "subprocess.Popen[bytes]") -> None:
    """Kill the server and its worker."""
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
