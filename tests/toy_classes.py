"""Toy events and models whose truth is known in closed form."""

from typing import Any

import numpy as np

from rootflow.config import FoldingConfig
from rootflow.dataset import Events
from rootflow.dataset.folds import fold_of
from rootflow.dataset.manifest import Sample, WeightScaling
from rootflow.evaluation.classification import (
    ClassificationEvaluation,
    EventObservable,
    tables_of,
)

FEATURES = {
    "jets": (),
    "leptons": ("pt", "eta", "phi", "energy", "pdg_id"),
    "met": (),
    "event": ("jet_n", "m4l", "x", "noise"),
}
INPUTS = {"leptons": ["pt"], "event": ["x", "noise"]}
M4L = EventObservable("m4l", r"$m(4\ell)$", "GeV")
# Distance of the means of x in signal and background, in units of its spread.
DISTANCE = 1.5


class GaussianModel:
    """The likelihood ratio of x, of classes that are Gaussians a distance apart.

    Where it has seen an event it adds `cheating` times the event's label to x. `noise` is
    the spread of what it adds to x, of its own.
    """

    def __init__(self, name: str = "network", noise: float = 0.0, cheating: float = 0.0) -> None:
        self.name = name
        self.noise = noise
        self.cheating = cheating

    def answer(self, events: Events) -> np.ndarray:
        return self._score(events, np.zeros(len(events)))

    def answer_seen(self, events: Events) -> np.ndarray:
        return self._score(events, self.cheating * (2 * events.label - 1))

    def _score(self, events: Events, shift: np.ndarray) -> np.ndarray:
        x = events.event[:, FEATURES["event"].index("x")].astype(np.float64) + shift
        if self.noise:
            x += self.noise * np.array(
                [np.random.default_rng(int(number)).normal() for number in events.event_number]
            )
        return 1 / (1 + np.exp(-DISTANCE * x))


class OfThree(GaussianModel):
    """Signal as the model of two classes, and the rest divided by whether there is a jet."""

    def _score(self, events: Events, shift: np.ndarray) -> np.ndarray:
        signal = super()._score(events, shift)
        rest = np.stack([signal * 0, signal, signal * 0], axis=1)
        rest[np.arange(len(events)), np.where(events.event[:, 0] > 0, 2, 0)] = 1 - signal
        return rest


def rows_of(evaluation: ClassificationEvaluation) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table, by its name."""
    return {table.name: table.as_rows() for table in tables_of(evaluation)}


def toy_sample(name: str, label: str, luminosity: float | None = 10.0) -> Sample:
    return Sample(
        name=name,
        label=label,
        title=f"${name}$",
        branch_map="atlas_open_data",
        files=(),
        cutflow=(),
        normalisation=None
        if label == "data" or luminosity is None
        else WeightScaling(
            cross_section_pb=1.0, luminosity_fb_inverse=luminosity, sum_of_weights=1.0, factor=1.0
        ),
        sum_of_weights=1.0,
        events=1,
    )


SAMPLES = (
    toy_sample("ggH", "signal"),
    toy_sample("VBFH", "signal"),
    toy_sample("ZZ", "background"),
    toy_sample("ttbar", "background"),
    toy_sample("data", "data"),
)
EXPECTED = {"ggH": 12.0, "VBFH": 2.0, "ZZ": 60.0, "ttbar": 10.0}


def toy_classes(
    counts: dict[str, int], seed: int = 1, spread_of_weights: float = 0.3, **changes: Any
) -> Events:
    """Return so many events of each sample; each is worth what is expected of it."""
    random = np.random.default_rng(seed)
    names = [sample.name for sample in SAMPLES]
    sample = np.repeat([names.index(name) for name in counts], list(counts.values()))
    label = np.array([{"signal": 1, "background": 0, "data": -1}[s.label] for s in SAMPLES])[sample]
    # A fifth of the data are signal.
    is_signal = np.where(label < 0, random.random(len(label)) < 0.2, label == 1)
    total = len(sample)
    weight = np.ones(total)
    for name, expected in EXPECTED.items():
        among = sample == names.index(name)
        drawn = random.normal(1, spread_of_weights, np.sum(among))
        weight[among] = drawn * expected / np.sum(drawn) if np.any(among) else 0
    x = random.normal(np.where(is_signal, DISTANCE / 2, -DISTANCE / 2), 1)
    m4l = np.where(is_signal, random.normal(125, 2, total), random.uniform(70, 250, total))
    event = np.stack([random.poisson(1, total), m4l, x, random.normal(0, 1, total)], axis=1)
    leptons = random.exponential(30, (total, 4, len(FEATURES["leptons"])))
    number = random.permutation(total).astype(np.uint64)
    arrays = {
        "features": FEATURES,
        "jets": np.zeros((total, 0, 0), np.float32),
        "jet_mask": np.zeros((total, 0), bool),
        "leptons": leptons.astype(np.float32),
        "met": np.zeros((total, 0), np.float32),
        "event": event.astype(np.float32),
        "weight": weight,
        "event_number": number,
        "file_index": np.zeros(total, np.int32),
        "fold": fold_of(number, FoldingConfig()),
        "sample": sample.astype(np.int16),
        "label": label.astype(np.int8),
    }
    return Events(**{**arrays, **changes})


COUNTS = {"ggH": 1500, "VBFH": 500, "ZZ": 2500, "ttbar": 500, "data": 80}
