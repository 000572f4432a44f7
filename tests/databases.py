"""A real PostgreSQL server that tests start and stop."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

from made_by_script import made_by_script
from servers import free_port

POSTGRESQL = Path(__file__).parents[1] / ".postgresql"


class PostgreSQL:
    """A server of databases that can be stopped and started again at the same port."""

    def __init__(self, directory: Path, password: str) -> None:
        made_by_script("postgresql.sh", "there is no server of PostgreSQL")
        self.port = free_port()
        self._directory = directory
        self._server: subprocess.Popen[bytes] | None = None
        words = directory / "password"
        words.write_text(password)
        self._password = password
        how = ["--username=rootflow", "--auth=scram-sha-256", f"--pwfile={words}", "--no-sync"]
        made = subprocess.run(
            self._command("initdb", *how, "--no-locale", "--encoding=UTF8"),
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr

    def url(self, database: str) -> str:
        """Return the URL of a database, as SQLAlchemy takes it."""
        return f"postgresql://rootflow:{self._password}@localhost:{self.port}/{database}"

    def start(self) -> None:
        """Serve, and return when it answers."""
        settings = {
            "listen_addresses": "localhost",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        words = [f"--{name}={value}" for name, value in settings.items()]
        log = self._directory / "postgresql.log"
        with log.open("ab") as output:
            self._server = subprocess.Popen(
                self._command("postgres", *words),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        for _ in range(1200):
            try:
                self.ask("postgres", "select 1")
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        self.stop()
        raise AssertionError(log.read_text())

    def stop(self) -> None:
        """End it at once, with what it is asked for."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait()

    def ask(self, database: str, question: str) -> list[tuple[Any, ...]]:
        """Return the rows of an answer, none of what has none."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            answer = connection.execute(question)
            return answer.fetchall() if answer.description else []

    def everything_in(self, database: str) -> str:
        """Return all that there is in a database, as text."""
        tables = self.ask(database, "select tablename from pg_tables where schemaname = 'public'")
        asked = (f'select t::text from "{name}" t' for (name,) in tables)  # noqa: S608 - its own
        rows = (self.ask(database, each) for each in asked)
        return "\n".join(str(row) for found in rows for row in found)

    def _command(self, program: str, *words: str) -> list[str]:
        # As root it refuses to run.
        user = ["unshare", "--user", "--map-user=1", "--map-group=1"] if os.geteuid() == 0 else []
        with_tests = ["setpriv", "--pdeathsig", "INT"]  # however these end
        return [
            *user,
            *with_tests,
            str(POSTGRESQL / program),
            "-D",
            str(self._directory / "data"),
            *words,
        ]
