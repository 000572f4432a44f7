"""What rootflow wrote and a disk changed is one line, whatever the file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from damaged import flipped
from rootflow import checksum
from rootflow.config import FoldsConfig
from rootflow.config.data import DileptonDataConfig, OneSampleWeightsConfig
from rootflow.config.model import FeedForwardConfig
from rootflow.dataset import open_dataset
from rootflow.errors import InputError
from rootflow.evaluation.classification import read_scores
from rootflow.evaluation.folder import read_json, write_json
from rootflow.inference.pieces import Piece
from rootflow.training.checkpoint import (
    CHECKPOINT,
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from rootflow.training.record import RECORD, Record, read_record, write_record
from small_datasets import build

SHIPPED = Path(__file__).parents[1] / "data"
TIMES = 100


class Numbers(NamedTuple):
    values: tuple[float, ...]


class Case(NamedTuple):
    """A file, and the door through which it is opened again."""

    path: Path
    opened: Callable[[], Any]
    times: int = TIMES


def record(folder: Path) -> Case:
    said = Record(
        question="q",
        dataset="d",
        folds=FoldsConfig(),
        task="reconstruction",
        model=FeedForwardConfig(architecture="feed_forward"),
        model_file="model.keras",
        features={"jets": ("pt",)},
        max_jets=8,
        history=[{"epoch": 1.0, "loss": 0.25}],
        facts={"best_epoch": 1},
    )
    write_record(said, folder)
    return Case(folder / RECORD, lambda: read_record(folder))


def checkpoint(folder: Path) -> Case:
    weights = [np.arange(50.0), np.ones((3, 4), np.float32)]
    write_checkpoint(Checkpoint("q", [{"loss": 1.0}], weights, weights, 7, 1.0, 1.0), folder)
    return Case(folder / CHECKPOINT, lambda: read_checkpoint(folder))


def network(folder: Path) -> Case:
    from rootflow.models.saving import load_model, save_model
    from small_network import small_network

    path = folder / "model.keras"
    save_model(small_network(), path)
    return Case(path, lambda: load_model(path))


def trees(folder: Path) -> Case:
    from sklearn.ensemble import HistGradientBoostingClassifier

    from rootflow.models.classifier_inputs import CollectionInputs
    from rootflow.training.trees import TreesModel, load_trees, save_trees

    path = folder / "model.skops"
    rows = np.random.default_rng(1).normal(size=(60, 1)).astype(np.float32)
    grown = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5).fit(rows, rows[:, 0] > 0)
    inputs = {"event": CollectionInputs(("m4l",), ("GeV",), ("m4l",))}
    save_trees(TreesModel(inputs, grown), path)
    return Case(path, lambda: load_trees(path))


def evaluation(folder: Path) -> Case:
    path = folder / "evaluation.json"
    write_json(Numbers((1.0, 0.1 + 0.2)), path)
    return Case(path, lambda: read_json(Numbers, path))


def scores(folder: Path) -> Case:
    path = folder / "predictions.parquet"
    said = {b"rootflow": json.dumps({"files": [], "signals": [1]}), checksum.KEY: checksum.UNSEALED}
    names = ("file_index", "event_number", "fold", "label", "weight", "m4l")
    columns = {"sample": ["a", "b"], **{name: [1, 2] for name in names}, "score_one": [0.1, 0.2]}
    pq.write_table(pa.table(columns).replace_schema_metadata(said), path)
    path.write_bytes(checksum.seal(path.read_bytes()))
    return Case(path, lambda: read_scores(path))


def piece(folder: Path) -> Case:
    path = folder / "piece.npz"
    np.savez(path, score=np.arange(20.0))
    checksum.seal_archive(path)
    return Case(path, Piece(Path("any.root"), 0, 20, path).columns)


def of_dataset(folder: Path, name: str) -> Case:
    ntuple = min((SHIPPED / "ttbar").glob("*.root"))
    dataset = build(
        DileptonDataConfig(weights=OneSampleWeightsConfig(negative="keep")),
        {"ttbar": [ntuple]},
        folder,
    )
    return Case(dataset.path / name, lambda: open_dataset(dataset.path), 30)


KINDS: dict[str, Callable[[Path], Case]] = {
    "record": record,
    "checkpoint": checkpoint,
    "network": network,
    "trees": trees,
    "evaluation": evaluation,
    "scores": scores,
    "piece": piece,
    "manifest": lambda folder: of_dataset(folder, "manifest.json"),
    "array": lambda folder: of_dataset(folder, "met.npy"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_damage_is_one_line(kind: str, tmp_path: Path) -> None:
    case = KINDS[kind](tmp_path)
    whole = case.path.read_bytes()
    case.opened()
    for content in flipped(whole, case.times):
        case.path.write_bytes(content)
        with pytest.raises(InputError) as refused:
            case.opened()
        said = str(refused.value)
        assert said.startswith((str(case.path), str(case.path.parent)))
        assert "again" in said
        assert "\n" not in said
    case.path.write_bytes(whole)
    case.opened()
