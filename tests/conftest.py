"""What every test may use."""

import importlib.abc
import json
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadFileScheduling

from ntuples import Branches, read_branches
from rootflow.config import FoldsConfig
from rootflow.config.data import DileptonDataConfig, OneSampleWeightsConfig
from rootflow.dataset import Events
from small_datasets import build

if TYPE_CHECKING:
    from condor_pool import Pool
    from rootflow.export.writing import Export

PROJECT = Path(__file__).parents[1]
DATA = PROJECT / "data"
H4L_SAMPLES = ("ggH", "VBFH", "ZZ")

# What MLflow keeps for the process and for those that it starts, such as rootflow's commands.
OF_MLFLOW = ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID")
# What `--quick` does without: its start takes seconds.
SLOW_TO_START = {"keras", "mlflow", "tensorflow", "tf2onnx"}
# Values of parameters whose tests ask for the pool as they run.
OF_HTCONDOR = {"shared", "transfer", "spool"}

# Files with tests that need the pool: one worker runs them all, so that there is one pool.
POOL_FILES = (
    "tests/batch/test_black_hole.py",
    "tests/batch/test_credentials.py",
    "tests/batch/test_executors.py",
    "tests/batch/test_failures.py",
    "tests/batch/test_full_disk.py",
    "tests/batch/test_gpus.py",
    "tests/batch/test_matching.py",
    "tests/batch/test_packing.py",
    "tests/batch/test_pool.py",
    "tests/batch/test_spooling.py",
    "tests/commands/test_jobs.py",
    "tests/steps/test_dag_on_pool.py",
    "tests/steps/test_train_on_pool.py",
    "tests/steps/test_tune_on_pool.py",
    "tests/tracking/test_backend.py",
    "tests/tracking/test_logins.py",
    "tests/tuning/test_pool.py",
)
# Files that take longest. Workers begin with them, after the pool, so that none is left with a
# long file when the others have ended.
LONGEST = (
    "tests/analyses/test_matrix.py",
    "tests/steps/test_main.py",
    "tests/export/test_architectures.py",
    "tests/settings/test_line.py",
    "tests/steps/test_h4l.py",
    "tests/tuning/test_driver.py",
    "tests/training/test_fit.py",
    "tests/test_notebooks.py",
    "tests/steps/test_tune.py",
    "tests/steps/test_unblinding.py",
    "tests/evaluation/classification/test_figures.py",
    "tests/evaluation/test_figures.py",
    "tests/commands/test_compare.py",
    "tests/tracking/test_run.py",
    "tests/training/test_physics.py",
    "tests/tracking/test_connection.py",
    "tests/dataset/test_memory.py",
)
TURNS = {file: turn for turn, file in enumerate((*POOL_FILES, *LONGEST))}


class FilesToWorkers(LoadFileScheduling):
    """Gives each file to a worker as a whole, and all files of the pool to the same."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "pool" if file in POOL_FILES else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesToWorkers:
    return FilesToWorkers(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="leave out what takes long, and tests that start MLflow, TensorFlow or rootflow",
    )


class SkippingFinder(importlib.abc.MetaPathFinder):
    """Skips the test that imports what is slow to start."""

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname.partition(".")[0] in SLOW_TO_START:
            pytest.skip(f"--quick: imports {fullname}", allow_module_level=True)


def _skip_starts(event: str, arguments: tuple[Any, ...]) -> None:
    """Skip the test that starts another Python."""
    if event == "subprocess.Popen" and "PYTEST_CURRENT_TEST" in os.environ:
        words = arguments[1] if isinstance(arguments[1], (list, tuple)) else [arguments[1]]
        if str(sys.prefix) in str(words[0]):
            pytest.skip("--quick: starts another Python")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare this process and those that the tests start.

    Threads of boosted trees that wait for others leave them the cores: where these are few, a fit
    took thirty times as long. What tests start heeds ctrl-C, which a shell keeps from what runs in
    the background.
    """
    os.environ["OMP_WAIT_POLICY"] = "passive"
    if config.getoption("quick"):
        sys.meta_path.insert(0, SkippingFinder())
        sys.addaudithook(_skip_starts)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# Before that of `-m`, which reads the marker.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that need a real HTCondor pool; put the files in turn that take longest."""
    for item in items:
        parameters = getattr(item, "callspec", None)
        values = set(map(str, parameters.params.values())) if parameters else set()
        if "pool" in getattr(item, "fixturenames", ()) or values & OF_HTCONDOR:
            item.add_marker("pool")
            if _file(item) not in POOL_FILES:
                raise pytest.UsageError(
                    f"{item.nodeid} needs the pool: name its file in POOL_FILES"
                )
    items.sort(key=lambda item: TURNS.get(_file(item), len(TURNS)))
    if config.getoption("quick"):
        left_out = [
            item
            for item in items
            if _file(item) in TURNS or any(map(item.get_closest_marker, ("slow", "pool")))
        ]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Let no file find what MLflow was told in another: which came before is not known."""
    result = yield
    if nextitem is None or nextitem.path != item.path:
        if mlflow := sys.modules.get("mlflow"):
            mlflow.set_tracking_uri(None)
        for name in OF_MLFLOW:
            os.environ.pop(name, None)
    return result


@pytest.fixture(scope="session")
def ttbar_files() -> list[Path]:
    """Return the shipped sample of dileptonic ttbar: one file of 20,000 events."""
    return sorted((DATA / "ttbar").glob("*.root"))


@pytest.fixture(scope="session")
def branches(ttbar_files: list[Path]) -> Branches:
    """Branches of 400 real events."""
    return read_branches(ttbar_files[0], 400)


@pytest.fixture(scope="session")
def h4l_files() -> dict[str, list[Path]]:
    """Return the shipped files of four-lepton events by process, 10,000 events in all."""
    return {name: sorted((DATA / "h4l").glob(f"{name}_*.root")) for name in H4L_SAMPLES}


@pytest.fixture(scope="session")
def collision_files(
    h4l_files: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Return four files of pseudo-collisions, 832 events of several runs."""
    from collisions import write_collisions

    return write_collisions(tmp_path_factory.mktemp("collisions"), h4l_files)


@pytest.fixture(scope="session")
def open_data_file() -> Path:
    """Return 39 collisions of the ATLAS Open Data, as they were published."""
    return DATA / "open-data" / "data_A.4lep.root"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory, with no tracking server named."""
    monkeypatch.chdir(tmp_path)
    for name in OF_MLFLOW:
        monkeypatch.setenv(name, "")  # so that what MLflow sets there does not outlive the test
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture(scope="session")
def real_events(ttbar_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Events:
    """Return the selected events of the shipped sample of ttbar, 20,000 of them."""
    config = DileptonDataConfig(weights=OneSampleWeightsConfig(negative="keep"))
    return build(config, {"ttbar": ttbar_files}, tmp_path_factory.mktemp("datasets")).events()


@pytest.fixture(scope="session")
def exported(real_events: Events, tmp_path_factory: pytest.TempPathFactory) -> "Export":
    """Return the export of a small network that was not trained on fold 0 of 5."""
    from exporting import exported_network
    from small_network import small_network

    directory = tmp_path_factory.mktemp("export") / "small"
    return exported_network(small_network(), real_events, directory)


@pytest.fixture(scope="session")
def ttbar_folds(real_events: Events, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with networks whose neutrinos differ: by 100 GeV in each component."""
    from exporting import exported_network
    from small_network import small_network

    folder = tmp_path_factory.mktemp("export") / "folds"
    folder.mkdir()
    names = {}
    for fold in range(2):
        exported = exported_network(
            small_network(momenta=lambda momenta, fold=fold: momenta + 100.0 * fold),
            real_events.take(slice(0, 3000)),
            folder / str(fold),
            folds=FoldsConfig(count=2, scheme="parity", held_out=fold),
        )
        names[str(fold)] = str(exported.named_path.relative_to(folder))
    (folder / "folds.json").write_text(json.dumps({"folds": names}))
    return folder


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty store: making its tables takes seconds, copying it none."""
    directory = tmp_path_factory.mktemp("store")
    from rootflow.tracking.connection import connect

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{directory / 'mlflow.db'}")
        connect()
    return directory / "mlflow.db"


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Pool"]:
    """Return a real HTCondor pool of twelve slots; this process and its children use it.

    Jobs that ask for it may run on a second node too, see second_node.
    """
    import grid_logins
    import second_node
    from condor_pool import down, up

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONDOR_CONFIG", "")  # so that it is put back
        directory = tmp_path_factory.mktemp("pool")
        settings = second_node.settings(directory) + grid_logins.settings(directory)
        running = up(directory, 12, ends_with_me=True, settings=settings)
        yield running
        down(running.directory)
