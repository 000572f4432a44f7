"""What the C++ of classifiers says, against Python."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from compiler import compiled
from events_text import PER_GEV, run
from exporting import FLAT, about_h4l, about_ttbar
from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.config.export import ExportConfig
from rootflow.cplusplus.write import write_cplusplus
from rootflow.dataset import Events
from toy_events import toy_events
from toy_four_leptons import h4l_inputs, toy_four_leptons

if TYPE_CHECKING:
    from rootflow.export.writing import Export

FOLDS = FoldingConfig(count=2)
WITH_FLAT = ExportConfig(targets=("named", "topcptoolkit-flat"))
ENERGIES = {"pt", "energy", "m4l", "z1_mass", "z2_mass", "pt_4l"}


def written(model: Any, events: Events, about: Any, directory: Path) -> "Export":
    from rootflow.export.preparation import prepare
    from rootflow.export.writing import write

    return write([prepare(model, events, about, WITH_FLAT)], directory)[0]


def as_text(events: Events, unit: str) -> str:
    """Return events with their objects in reverse order: the C++ sorts them."""
    words = {"jets": "jet", "leptons": "lepton", "met": "met", "event": "features"}
    blocks = []
    for place, number in enumerate(events.event_number):
        lines = [f"event {number} simulation"]
        for name, features in events.features.items():
            if not features:
                continue
            scale = [
                PER_GEV[unit] if each in ENERGIES or "mass" in each else 1.0 for each in features
            ]
            array = getattr(events, name)[place].astype(np.float64)
            rows = (array if array.ndim > 1 else array[np.newaxis]) * scale
            if name == "jets":
                rows = rows[events.jet_mask[place]]
            numbers = (" ".join(f"{value:.17g}" for value in row) for row in rows[::-1])
            lines += [f"{words[name]} {row}" for row in numbers]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def said(program: Path, events: Events, unit: str, path: Path) -> tuple[list[str], np.ndarray]:
    answer = run(program, as_text(events, unit), [path], unit)
    assert answer.returncode == 0, answer.stderr
    head, *rows = [line.split() for line in answer.stdout.splitlines()]
    np.testing.assert_array_equal([int(row[0]) for row in rows], events.event_number)
    return head[1:], np.array([row[1:] for row in rows], np.float64)


@pytest.mark.parametrize("kind", ["network", "trees"])
def test_scores_are_those_of_python(kind: str, tmp_path: Path) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    from rootflow.methods.exported import OnnxMethod
    from rootflow.models.classifier_inputs import in_a_row
    from rootflow.training.trees import TreesModel
    from small_classifier import small_classifier

    events = toy_four_leptons(400, folds=FOLDS)
    model: Any = small_classifier()
    if kind == "trees":
        trees = HistGradientBoostingClassifier(max_iter=10, random_state=1)
        trees.fit(in_a_row(events.inputs(), h4l_inputs()), events.label)
        model = TreesModel(h4l_inputs(), trees)
    made = written(model, events, about_h4l(FOLDS, held_out=0, name=kind), tmp_path / "onnx")
    write_cplusplus([*made.files.values()], tmp_path / "cplusplus")
    own = events.take(events.fold == 0).take(slice(0, 50))
    wanted = OnnxMethod(made.named_path).answer(own)
    # What goes in is rounded once more where it is scaled: a tree may then choose another leaf.
    unit, path = ("MeV", made.files[FLAT]) if kind == "network" else ("GeV", made.named_path)
    assert path is not None
    name = f"h4l_{kind}{'_flat' if kind == 'network' else ''}.cpp"
    program = compiled(tmp_path / "cplusplus" / name)
    head, scores = said(program, own, unit, path)
    assert head == ["score"]
    np.testing.assert_allclose(scores[:, 0], wanted, atol=1e-5)
    fewer = as_text(own.take(slice(0, 1)), unit).replace("\nlepton", "\nfeatures", 1)
    for text, fault in (
        (fewer, "a number is missing"),
        (as_text(own.take(slice(0, 1)), unit).rpartition("\nlepton")[0], "4 leptons are needed"),
    ):
        answer = run(program, text, [path], unit)
        assert (answer.returncode, answer.stderr.count("\n")) == (1, 1)
        assert fault in answer.stderr


def test_probabilities_of_classes_of_masked_objects_are_those_of_python(tmp_path: Path) -> None:
    from rootflow.exported.session import open_session
    from small_classes import CLASSES, small_classes

    events = toy_events(300, seed=3, max_jets=4)
    about = about_ttbar(
        task="classification",
        analysis="h4l",
        classes=CLASSES,
        folds=FoldsConfig(count=2, scheme="parity"),
    )
    made = written(small_classes(events), events, about, tmp_path / "onnx")
    write_cplusplus([*made.files.values()], tmp_path / "cplusplus")
    # Its leptons are not by falling pT, which the C++ makes them.
    falling = np.argsort(-events.leptons[..., 0], axis=1)[..., np.newaxis]
    arrays = events.arrays()
    arrays["leptons"] = np.take_along_axis(events.leptons, falling, axis=1)
    own = Events(features=events.features, **arrays).take(events.event_number % 2 == 0)
    own = own.take(slice(0, 50))
    for source, path, unit in (
        ("h4l_small.cpp", made.named_path, "GeV"),
        ("h4l_small_flat.cpp", made.files[FLAT], "MeV"),
    ):
        assert path is not None
        program = compiled(tmp_path / "cplusplus" / source)
        head, found = said(program, own, unit, path)
        assert head == list(CLASSES)
        (wanted,) = open_session(made.named_path).run(None, own.inputs())
        np.testing.assert_allclose(found, wanted, atol=1e-5)
