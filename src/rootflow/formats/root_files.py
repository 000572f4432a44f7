"""Opening ROOT files, wherever they are."""

import os
import queue
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uproot
from uproot.source.chunk import Chunk, Source
from uproot.source.coalesce import coalesce_requests
from uproot.source.futures import TrivialFuture

from rootflow.places import Place, Remote
from rootflow.places.access import read_ranges, release, status_of

REQUESTS_AT_ONCE = 4


def open_root(path: Place) -> Any:
    """Return an open ROOT file of uproot's, whose trees say which friends they have."""
    options: dict[str, Any] = {"array_cache": None, "minimal_ttree_metadata": False}
    if isinstance(path, Remote):
        # As a key its colons are not taken for those before the name of a tree.
        return uproot.open({path.url: None}, handler=FarSource, **options)
    return uproot.open(path, **options, handler=NearSource)


class NearSource(Source):  # type: ignore[misc]
    """A file of this machine for uproot, whose own sources read each basket in another thread.

    Mapping it into memory is as fast, but ends the process where the disk cannot read.
    """

    def __init__(self, path: str, **options: object) -> None:  # noqa: ARG002 - as uproot calls it
        super().__init__()
        self._file_path = path
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed with the source
        self._num_bytes = os.fstat(self._file.fileno()).st_size

    @property
    def closed(self) -> bool:
        """Whether nothing can be read any more."""
        return self._file.closed

    def __enter__(self) -> "NearSource":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def chunk(self, start: int, stop: int) -> Any:
        """Return the bytes from start to before stop."""
        part = os.pread(self._file.fileno(), stop - start, start)
        return Chunk(self, start, stop, TrivialFuture(part))

    def chunks(
        self, ranges: Sequence[tuple[int, int]], notifications: "queue.Queue[Any]"
    ) -> list[Any]:
        """Return the bytes of each range."""
        found = [self.chunk(start, stop) for start, stop in ranges]
        for chunk in found:
            notifications.put(chunk)
        return found


class FarSource(Source):  # type: ignore[misc]
    """A file of a server for uproot, whose own sources do not wait for a server to come back."""

    def __init__(self, url: str, **options: object) -> None:  # noqa: ARG002 - as uproot calls it
        super().__init__()
        self._place = Remote(url)
        self._file_path = str(self._place)
        self._num_bytes = status_of(self._place).bytes
        self._executor = ThreadPoolExecutor(REQUESTS_AT_ONCE)
        self._is_open = True

    @property
    def closed(self) -> bool:
        """Whether nothing can be read any more."""
        return not self._is_open

    def __enter__(self) -> "FarSource":
        return self

    def __exit__(self, *error: object) -> None:
        # uproot closes it again where its objects are collected, in whichever thread that is.
        if self._is_open:
            self._is_open = False
            self._executor.shutdown()
            release(self._place)

    def chunk(self, start: int, stop: int) -> Any:
        """Return the bytes from start to before stop."""
        (part,) = self._read([(start, stop)])
        return Chunk(self, start, stop, TrivialFuture(part))

    def chunks(
        self, ranges: Sequence[tuple[int, int]], notifications: "queue.Queue[Any]"
    ) -> list[Any]:
        """Return the bytes of each range, some of which are still being asked for."""

        def submit(together: Sequence[tuple[int, int]]) -> "Future[list[bytes]]":
            return self._executor.submit(self._read, together)

        found: list[Any] = coalesce_requests(ranges, submit, self, notifications)
        return found

    def _read(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        # Of a file that is none of ROOT's more may be asked for than it has.
        size = self._num_bytes
        return read_ranges(self._place, [(min(a, size), min(b, size)) for a, b in ranges])
