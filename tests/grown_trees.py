"""Small trees that tell four-lepton events apart, in files as `export` writes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporting import about_h4l, exported_classifiers
from ntuples import entries_of
from rootflow.analyses.h4l import INPUTS
from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.dataset import Events
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.methods.combined import FoldedMethod
from toy_four_leptons import H4L_UNITS

FOLDS = FoldingConfig(count=3)
MAP = "atlas_open_data"


class Model(NamedTuple):
    folded: FoldedMethod
    combined: Path
    fold_paths: list[Path]


def read(reader: EventReader, path: Path) -> tuple[Events, NDArray[np.bool_]]:
    """Return the selected events of a file, and which they are."""
    events, selected, _ = zip(*entries_of(reader, path, FOLDS), strict=True)
    arrays = [part.arrays() for part in events]
    whole = {name: np.concatenate([part[name] for part in arrays]) for name in arrays[0]}
    return Events(features=events[0].features, **whole), np.concatenate(selected)


def grown(reading: FourLeptons, files: Mapping[str, list[Path]], directory: Path) -> Model:
    """Return trees that were grown on gg -> H and on ZZ, and their export."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    from rootflow.methods.trained import TrainedMethod
    from rootflow.models.classifier_inputs import classifier_inputs, in_a_row
    from rootflow.training.trees import TreesModel

    reader = EventReader(reading, MAP)
    signal, background = (read(reader, files[name][0])[0] for name in ("ggH", "ZZ"))
    inputs = classifier_inputs(INPUTS, signal, H4L_UNITS)
    rows = [in_a_row(part.inputs(), inputs) for part in (signal, background)]
    label = np.repeat([1, 0], [len(signal), len(background)])
    fold = np.concatenate([signal.fold, background.fold])
    models = []
    for held_out in range(FOLDS.count):
        seen = fold != held_out
        trees = HistGradientBoostingClassifier(max_iter=15, random_state=1)
        trees.fit(np.concatenate(rows)[seen], label[seen])
        models.append(TreesModel(inputs, trees))
    events = signal.take(slice(0, 500))
    about = about_h4l(FOLDS, name="trees", selection=reading.model_dump(mode="json"))
    *of_folds, whole = exported_classifiers(models, events, about, directory)
    scorers = [
        TrainedMethod(
            "trees",
            one,
            FoldsConfig(count=FOLDS.count, held_out=held_out),
            signal.features,
        )
        for held_out, one in enumerate(models)
    ]
    folded = FoldedMethod("trees", scorers)
    return Model(folded, whole.named_path, [each.named_path for each in of_folds])
