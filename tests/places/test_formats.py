"""Each format gives the same from wherever it is read."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from far import HttpServer, XRootDServer
from ntuples import Branches, read_branches
from other_formats import FORMATS
from rootflow.config.data import DileptonDataConfig, OneSampleWeightsConfig
from rootflow.dataset import Dataset
from rootflow.formats import find_files
from small_datasets import build

if TYPE_CHECKING:
    from rootflow.places import Place


@pytest.fixture(scope="module")
def events(ttbar_files: list[Path]) -> Branches:
    """All 20,000 events of the shipped sample."""
    return read_branches(ttbar_files[0])


@pytest.fixture(scope="module", params=FORMATS)
def written(request: pytest.FixtureRequest, events: Branches, served: Path) -> tuple[str, str]:
    """Return the name of a file of each format in the folder that is served, and its map."""
    kind = FORMATS[request.param]
    path = served / f"{request.param}{kind.suffix}"
    kind.write(path, events)
    return path.name, kind.branch_map(served)


def _built(place: "Place", branch_map: str, folder: Path) -> Dataset:
    weights = OneSampleWeightsConfig(negative="keep")
    config = DileptonDataConfig(weights=weights, branch_map=branch_map)
    return build(config, {"ttbar": [place]}, folder)


@pytest.mark.parametrize("far", ["xrootd", "secure"])
def test_the_same_dataset_from_everywhere(
    written: tuple[str, str],
    far: str,
    served: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """The digest tells that the content is the same, and that of the events that they are."""
    server: XRootDServer | HttpServer = request.getfixturevalue(far)
    name, branch_map = written
    here = _built(served / name, branch_map, tmp_path / "here")
    there = _built(*find_files([server.url(name)]), branch_map, tmp_path / "there")
    assert len(here) == 20_000
    assert there.manifest.digest == here.manifest.digest
    assert there.manifest.simulation_digest == here.manifest.simulation_digest
    assert there.manifest.arrays == here.manifest.arrays
    (sample,) = there.manifest.samples
    (file,) = sample.files
    assert file.path == server.url(name)
    assert file.checksum_from == "server"
    assert here.manifest.samples[0].files[0].checksum_from == "read"
    assert file.checksum == here.manifest.samples[0].files[0].checksum
