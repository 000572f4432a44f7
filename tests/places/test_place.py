import pickle
from pathlib import Path

import pytest

from rootflow.errors import UsageError
from rootflow.places import Remote, place_of, shown

SIGNED = "https://user@host:8443/a%20b/f.root?X-Amz-Signature=SECRET&x=1#SECRET"


def _remote(url: str) -> Remote:
    place = place_of(url, "data.files")
    assert isinstance(place, Remote)
    return place


def test_no_text_of_a_place_has_what_may_be_a_secret() -> None:
    place = _remote(SIGNED)
    for text in (str(place), repr(place), f"{place}", f"{[place]}", str({place: place})):
        assert "SECRET" not in text
        assert "user" not in text
    assert str(place) == "https://host:8443/a%20b/f.root"
    assert place.url == SIGNED


@pytest.mark.parametrize("secret", ["?authz=Bearer%20SECRET", "?xrd.wantprot=ztn&authz=SECRET"])
def test_the_query_of_xrootd_is_not_shown(secret: str) -> None:
    assert str(_remote(f"root://host//f.root{secret}")) == "root://host//f.root"


def test_a_question_mark_of_a_glob_is_no_query() -> None:
    assert _remote("root://host//ttbar_?.root").path == "//ttbar_?.root"
    assert _remote("s3://bucket/ttbar_?.root").path == "/ttbar_?.root"


def test_parts() -> None:
    place = _remote(SIGNED)
    assert (place.name, place.suffix, place.host) == ("f.root", ".root", "host:8443")
    assert (place.with_path("/g") / "h i.root").url.startswith(
        "https://user@host:8443/g/h i.root?X-"
    )
    assert (_remote("root://host//") / "f.root").url == "root://host//f.root"
    assert _remote("ROOT://host//f.root") == _remote("root://host//f.root")


def test_places_are_sorted_and_carried_to_other_processes() -> None:
    places = [_remote(f"root://host//{name}.root?a=1") for name in "cab"]
    assert [place.name for place in sorted(places)] == ["a.root", "b.root", "c.root"]
    assert pickle.loads(pickle.dumps(places)) == places  # noqa: S301


def test_what_is_no_url_is_a_path() -> None:
    assert place_of("data/f.root", "data.files") == Path("data/f.root")
    assert place_of("file:///data/a%20b.root", "data.files") == Path("/data/a b.root")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://me:SECRET@host/f.root", "credentials come by the environment"),
        ("root://me:SECRET@host//f.root", "credentials come by the environment"),
        ("root://host/data/f.root", "two slashes after the server: root://host//data/f.root"),
        ("https:///f.root", "names no server"),
    ],
)
def test_what_no_url_may_be(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        place_of(url, "data.files")
    assert "SECRET" not in str(caught.value)
    assert str(caught.value).startswith("data.files: ")


def test_the_environment_completes_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("https://host/f.root?$SIGNATURE&x=$MORE", "root://host//f.root?$SIGNATURE&x=$MORE"):
        monkeypatch.setenv("SIGNATURE", "authz=SECRET")
        monkeypatch.setenv("MORE", "1")
        assert _remote(url).query == "?authz=SECRET&x=1"
        monkeypatch.delenv("SIGNATURE")
        with pytest.raises(
            UsageError, match=r"f\.root: its query has \$SIGNATURE, which is not set"
        ):
            _remote(url)


def test_what_is_recorded_shows_no_secret() -> None:
    settings = {"files": [SIGNED, "a/b?c"], "more": {"n": 1, "other": ("s3://me:SECRET@b/c",)}}
    assert shown(settings) == {
        "files": ["https://host:8443/a%20b/f.root", "a/b?c"],
        "more": {"n": 1, "other": ["s3://b/c"]},
    }
