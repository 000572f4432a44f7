"""Whose models files are of, what they were not trained on, and the names of their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rootflow.analysis import TaskName
from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.config.export import Precision
from rootflow.export.layout import Units
from rootflow.export.samples import Ranges

FULL: Precision = "float32"


@dataclass(frozen=True)
class About:
    """Whose model it is, what it was not trained on, and where it came from.

    Units are by collection and feature, as in the dataset's manifest; branch map and selection as
    the configuration has them. `uses` are the features that the model looks at, by collection
    (none: all that it takes), `classes` those of several beside signal and background, `ranges`
    of the training's dataset (none: of the events of the proof), and `metrics` of the training.
    No fold is held out of a file with the models of all.
    """

    task: TaskName
    analysis: str
    name: str
    folds: FoldingConfig
    units: Units
    branch_map: str
    selection: Mapping[str, Any]
    provenance: Mapping[str, str]
    uses: Mapping[str, Sequence[str]] | None = None
    classes: Sequence[str] = ()
    ranges: Ranges = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    held_out: int | None = None

    @property
    def unseen(self) -> FoldsConfig:
        """The folds, `held_out` being the one that the model was not trained on."""
        divided = self.folds.model_dump(include={"count", "scheme"})
        return FoldsConfig(**divided, held_out=self.held_out)

    @property
    def stem(self) -> str:
        """The name of the named variant's file, without precision and ending."""
        applied = "all_folds" if self.held_out is None else f"applied_to_{fold_name(self.unseen)}"
        return f"{self.analysis}_{self.name}_{applied}"

    @property
    def applies_to(self) -> str:
        """In words, the events that it may be applied to."""
        folds = self.folds
        if self.held_out is None:
            return f"every event, with its fold of {folds.count} ({folds.scheme})"
        if folds.scheme == "parity":
            return f"events with an {fold_name(self.unseen)} event number"
        if folds.scheme == "modulo":
            return f"events whose event number modulo {folds.count} is {self.held_out}"
        return f"events whose event number's hash gives fold {self.held_out} of {folds.count}"


def in_precision(name: str, precision: Precision) -> str:
    """Return a name with the precision at its end, where it is not the full one."""
    return name if precision == FULL else f"{name}_{precision}"


def fold_name(folds: FoldsConfig) -> str:
    """Return the fold that a model was not trained on, for the name of its file."""
    if folds.scheme == "parity":
        return ("even", "odd")[folds.held_out]
    rest = "_modulo" if folds.scheme == "modulo" else ""
    return f"fold{folds.held_out}of{folds.count}{rest}"
