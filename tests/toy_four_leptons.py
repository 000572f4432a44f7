"""Generated four-lepton events, of which signal is a narrow resonance."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rootflow.analyses.h4l import INPUTS
from rootflow.config import FoldingConfig, InputsConfig
from rootflow.dataset import Events
from rootflow.dataset.folds import fold_of
from rootflow.physics.four_leptons import FEATURES, observables

if TYPE_CHECKING:
    from rootflow.models.classifier_inputs import ClassifierInputs

EVENT_FEATURES = ("jet_n", *(name for name, _ in FEATURES))
LEPTON_FEATURES = ("pt", "eta", "phi", "energy", "pdg_id")
H4L_FEATURES = {"jets": (), "leptons": LEPTON_FEATURES, "met": (), "event": EVENT_FEATURES}
H4L_UNITS = {
    "jets": {"pt": "GeV", "eta": "none", "phi": "rad"},
    "leptons": dict(zip(LEPTON_FEATURES, ("GeV", "none", "rad", "GeV", "none"), strict=True)),
    "event": {"jet_n": "none", **dict(FEATURES)},
}


def h4l_inputs(inputs: InputsConfig = INPUTS) -> "ClassifierInputs":
    """Return what a classifier is given of four-lepton events."""
    from rootflow.models.classifier_inputs import classifier_inputs  # TensorFlow

    return classifier_inputs(inputs, toy_four_leptons(1), H4L_UNITS)


FLAVOURS = ((-11, 11, -13, 13), (-11, 11, -11, 11), (-13, 13, -13, 13))


def toy_four_leptons(
    count: int, seed: int = 1, folds: FoldingConfig | None = None, labels: Sequence[int] = (0, 1)
) -> Events:
    """Return events of all flavours, signal with leptons of larger pT than background."""
    random = np.random.default_rng(seed)
    label = random.choice(labels, count).astype(np.int8)
    pt = 7 + random.exponential(20 + 15 * (label[:, None] == 1), (count, 4))
    eta, phi = random.normal(0, 1, (count, 4)), random.uniform(-np.pi, np.pi, (count, 4))
    flavour = np.asarray(FLAVOURS)[random.integers(0, len(FLAVOURS), count)]
    flavour = random.permuted(flavour, axis=1)
    leptons = np.stack([pt, eta, phi, pt * np.cosh(eta), flavour], axis=-1).astype(np.float32)
    order = np.argsort(-leptons[..., 0], axis=1)
    leptons = np.take_along_axis(leptons, order[..., None], axis=1)
    derived = observables(leptons)
    columns = [random.poisson(1.5, count), *(derived[name] for name, _ in FEATURES)]
    numbers = random.permutation(10 * count)[:count].astype(np.uint64)
    return Events(
        features=H4L_FEATURES,
        jets=np.zeros((count, 0, 0), np.float32),
        jet_mask=np.zeros((count, 0), np.bool_),
        leptons=leptons,
        met=np.zeros((count, 0), np.float32),
        event=np.stack(columns, axis=-1).astype(np.float32),
        weight=random.uniform(0.5, 1.5, count),
        event_number=numbers,
        file_index=np.zeros(count, np.int32),
        fold=fold_of(numbers, folds or FoldingConfig()),
        sample=np.where(label == -1, 2, label).astype(np.int16),
        label=label,
    )
