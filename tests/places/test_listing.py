from collections.abc import Callable
from pathlib import Path

import pytest

from far import HttpServer, XRootDServer
from rootflow.errors import InputError
from rootflow.formats import find_files

FILES = ("ttbar_0.root", "ttbar_1.root", "ttbar_2.root", "zz_[1].root", "sub/ttbar_3.root")
Urls = Callable[[str], str]


@pytest.fixture(scope="module")
def listed(served: Path) -> Path:
    """Return a folder of what is served with files that globs name."""
    folder = served / "listed"
    (folder / "sub").mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(b"root")
    return folder


@pytest.fixture(params=["xrootd", "web", "secure"])
def url(request: pytest.FixtureRequest, listed: Path) -> Urls:
    """Return what gives the URL of a file of the folder."""
    server: XRootDServer | HttpServer = request.getfixturevalue(request.param)
    return lambda name: server.url(f"{listed.name}/{name}")


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("ttbar_*.root", ["ttbar_0.root", "ttbar_1.root", "ttbar_2.root"]),
        ("ttbar_[01].root", ["ttbar_0.root", "ttbar_1.root"]),
        ("ttbar_{2,0}.root", ["ttbar_0.root", "ttbar_2.root"]),
        ("{ttbar,zz}_?[!x]*.root", ["zz_[1].root"]),
        ("*/ttbar_3.root", ["sub/ttbar_3.root"]),
        ("s*b/*.root", ["sub/ttbar_3.root"]),
        ("**/ttbar_[23].root", ["sub/ttbar_3.root", "ttbar_2.root"]),
    ],
)
def test_globs(url: Urls, glob: str, names: list[str]) -> None:
    if "?" in glob and url("").startswith("http"):
        glob = glob.replace("?", "[[]")  # a query follows it there
    assert [str(place) for place in find_files([url(glob)])] == [
        url(name).replace("[", "%5B").replace("]", "%5D") if "http" in url("") else url(name)
        for name in names
    ]


def test_a_file_that_two_name_is_there_once(url: Urls) -> None:
    found = find_files([url("ttbar_1.root"), url("ttbar_?.root" if "root:" in url("") else "t*")])
    assert [place.name for place in found] == ["ttbar_1.root", "ttbar_0.root", "ttbar_2.root"]


def test_a_glob_at_the_top(xrootd: XRootDServer, web: HttpServer) -> None:
    for server in (xrootd, web):
        assert [place.name for place in find_files([server.url("tt*_0.root")])] == ["ttbar_0.root"]


def test_what_matches_nothing(url: Urls) -> None:
    with pytest.raises(InputError, match=r"data\.files: '.*/nothing\*' matches no file"):
        find_files([url("nothing*")])
    with pytest.raises(InputError, match=r"cannot look there: .*/none/: there is no such"):
        find_files([url("none/*.root")])


def test_a_web_server_without_index_pages(web: HttpServer) -> None:
    web.index = False
    try:
        with pytest.raises(InputError, match=r"cannot look there: .* the server answers 403"):
            find_files([web.url("tt*.root")])
        found = find_files([web.url("ttbar_{0,1}.root")])
    finally:
        web.index = True
    assert [place.name for place in found] == ["ttbar_0.root", "ttbar_1.root"]


def test_a_file_that_is_named_as_a_url(served: Path) -> None:
    assert find_files([f"file://{served}/ttbar_0.root"]) == [served / "ttbar_0.root"]


def test_a_tree_after_the_file_is_told_where_it_belongs(url: Urls) -> None:
    for name in ("ttbar_0.root:reco", "ttbar_*.root:reco"):
        with pytest.raises(InputError, match=r"names a tree, too: .*branch map 'tree: reco'"):
            find_files([url(name)])
