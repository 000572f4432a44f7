from pathlib import Path

import pytest
import uproot

EVENTS = 1500


@pytest.fixture(scope="session")
def small_ntuple(shared_ttbar: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ROOT file with the first events of the shared sample."""
    path = tmp_path_factory.mktemp("ntuple") / "small.root"
    with uproot.open(shared_ttbar[0]) as source, uproot.recreate(path) as copy:
        columns = source["reco"].arrays(entry_stop=EVENTS)
        copy["reco"] = {name: columns[name] for name in columns.fields}
    return path
