from pathlib import Path

import pytest

from far import HttpServer, XRootDServer
from rootflow.errors import RootflowError
from rootflow.places import place_of
from rootflow.places.writing import exists, put


@pytest.mark.parametrize("far", ["xrootd", "web", "secure"])
@pytest.mark.parametrize("before", [None, b"another, which is longer"])
def test_a_file_gets_its_place(
    far: str, before: bytes | None, served: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: XRootDServer | HttpServer = request.getfixturevalue(far)
    taken = served / "taken.root"
    place = place_of(server.url(taken.name), "apply")
    if before is not None:
        taken.write_bytes(before)
    assert exists(place) == (before is not None)
    path = tmp_path / "output.root"
    path.write_bytes(b"what is written")
    put(path, place)
    assert taken.read_bytes() == b"what is written"
    assert exists(place)
    assert not path.exists()
    taken.unlink()
    assert list(served.glob(".*")) == []


def test_what_a_server_spoils_is_refused(
    web: HttpServer, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "spoils", True)
    path = tmp_path / "output.root"
    path.write_bytes(b"what is written")
    with pytest.raises(RootflowError, match="what the server has is not what was sent"):
        put(path, place_of(web.url("taken.root"), "apply"))
    assert path.read_bytes() == b"what is written"
    (served / "taken.root").unlink()
