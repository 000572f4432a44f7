"""What trainings and preprocess left on disk, of which something is wrong."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from mutations import EXAMPLES, Changed, changed_bytes, changed_data, changed_text, search
from ntuples import read_branches, write_ntuple
from rootflow import checksum
from rootflow.checksum import seal_archive
from rootflow.config import FoldsConfig
from rootflow.config.data import DileptonDataConfig
from rootflow.config.model import FeedForwardConfig
from rootflow.dataset.dataset import open_dataset
from rootflow.dataset.manifest import MANIFEST
from rootflow.exported.folds import read_folds
from rootflow.models.classifier_inputs import CollectionInputs
from rootflow.models.saving import load_model, save_model
from rootflow.training.checkpoint import CHECKPOINT, Checkpoint, read_checkpoint, write_checkpoint
from rootflow.training.record import RECORD, Record, read_record, write_record
from rootflow.training.trees import TreesModel, load_trees, save_trees
from small_datasets import build
from small_network import small_network

TTBAR = Path(__file__).parents[2] / "data" / "ttbar" / "ttbar_s42_000.root"
Kind = tuple[Path, Callable[[], object], bytes, "st.SearchStrategy[Any]"]


def _dataset() -> Path:
    path = write_ntuple(Path("in.root"), read_branches(TTBAR, 60))
    config = DileptonDataConfig.model_validate({"weights": {"negative": "keep"}})
    return build(config, {"ttbar": [path]}, Path("datasets")).path


def _trees(path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(80, 2))
    trees = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5).fit(rows, rows[:, 0] > 0)
    names = ("jet_n", "m4l")
    save_trees(TreesModel({"event": CollectionInputs(names, ("none", "GeV"), names)}, trees), path)


def _record() -> Record:
    return Record(
        question="0123",
        dataset="4567",
        task="reconstruction",
        folds=FoldsConfig(),
        model=FeedForwardConfig(architecture="feed_forward"),
        model_file="model.keras",
        features={"jets": ("pt",)},
        max_jets=4,
        history=[{"loss": 1.0}],
        facts={"epochs": 1},
    )


def _used_trees(path: Path) -> None:
    trees = load_trees(path)
    assert np.isfinite(trees.outputs({"event": np.ones((3, 2), np.float32)})["score"]).all()


def _used_dataset(path: Path) -> None:
    dataset = open_dataset(path)
    assert len(dataset.events(slice(0, 5))) <= 5


def _members(content: bytes) -> st.SearchStrategy[bytes]:
    """Return the archive with one member changed, and all checksums right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def changed_member(name: str) -> st.SearchStrategy[bytes]:
        new: st.SearchStrategy[bytes] = changed_bytes(members[name])
        if name.endswith(".json"):
            data = changed_data(json.loads(members[name]))
            new = st.one_of(new, data.map(lambda said: json.dumps(said).encode()))
        return new.map(lambda part: _archive({**members, name: part}))

    return st.sampled_from(sorted(members)).flatmap(changed_member)


def _archive(members: dict[str, bytes]) -> Changed:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.comment = checksum.COMMENT
        for name, part in members.items():
            archive.writestr(zipfile.ZipInfo(name), part)
    return Changed(checksum.seal(content.getvalue()))


def _as_always(path: Path) -> None:
    """Write an archive again without what is of this run: dates, and places in memory."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    texts = "".join(members[name].decode() for name in sorted(members) if ".json" in name)
    places = list(dict.fromkeys(re.findall(r"\b[0-9]{12,}\b", texts)))

    def always(text: str) -> str:
        for number, place in enumerate(places):
            text = text.replace(place, str(number + 1000))
        return re.sub(r'"date_saved": "[^"]*"', '"date_saved": ""', text)

    members = {
        always(name): always(part.decode()).encode() if name.endswith(".json") else part
        for name, part in members.items()
    }
    path.write_bytes(_archive(members))
    seal_archive(path)


def _in_json(said: Any) -> bytes:
    """Return JSON with a checksum that is right, where it may have one."""
    if not isinstance(said, dict) or not said.pop(checksum.KEY, None) or not said:
        return json.dumps(said).encode()
    return checksum.sealed_json(json.dumps(said))


def _in_bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


@pytest.mark.filterwarnings("ignore:Reading `.npy`:UserWarning")  # numpy's, of a damaged head
@EXAMPLES
def test_models_and_datasets(workspace: Path, examples: int) -> None:
    network, trees = Path("model.keras"), Path("model.skops")
    keras.backend.clear_session()  # the names of layers count on
    save_model(small_network(max_jets=2), network)
    _trees(trees)
    for path in (network, trees):
        _as_always(path)
    dataset = _dataset()
    write_record(_record(), workspace)
    arrays = [np.ones((2, 2), np.float32)]
    write_checkpoint(Checkpoint("0123", [{"loss": 1.0}], arrays, arrays, 1, 1.0, 1.0), workspace)
    Path("folds.json").write_text(json.dumps({"folds": {"0": "a.onnx"}}))
    readers: dict[Path, Callable[[], object]] = {
        network: lambda: load_model(network),
        trees: lambda: _used_trees(trees),
        Path(CHECKPOINT): lambda: read_checkpoint(workspace),
        Path(RECORD): lambda: read_record(workspace),
        Path("folds.json"): lambda: read_folds(workspace),
        **{path: lambda: _used_dataset(dataset) for path in sorted(dataset.iterdir())},
    }
    for read in readers.values():
        read()
    whole = {path: path.read_bytes() for path in readers}

    def changed(path: Path) -> st.SearchStrategy[tuple[Path, bytes]]:
        content = whole[path]
        ways: list[st.SearchStrategy[bytes]] = [changed_bytes(content)]
        if path.suffix == ".json":
            ways.append(changed_text(content.decode()).map(_in_bytes))
            data = changed_data(json.loads(content))
            ways.append(data.map(_in_json))
        if path == trees:
            ways.append(_members(content))
        return st.tuples(st.just(path), st.one_of(*ways))

    def use(case: tuple[Path, bytes]) -> None:
        path, content = case
        path.write_bytes(content)
        try:
            readers[path]()
        finally:
            path.write_bytes(whole[path])

    arrays_of_dataset = [path for path in readers if path.parent == dataset]
    search(
        examples,
        st.one_of(
            changed(network),
            changed(network),
            changed(trees),
            changed(trees),
            changed(Path(CHECKPOINT)),
            changed(Path(RECORD)),
            changed(Path("folds.json")),
            changed(dataset / MANIFEST),
            st.sampled_from(arrays_of_dataset).flatmap(changed),
        ),
        use,
    )
