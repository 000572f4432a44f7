"""What exported classifiers say of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import onnx

from rootflow.config import (
    FoldingConfig,
    FoldsConfig,
    InputsConfig,
)
from rootflow.dataset.events import Features
from rootflow.export.entries import (
    BATCH_AXIS,
    fold_in_words,
    fold_name,
    origin_fields,
    range_of,
    sealed,
    self_contained,
)
from rootflow.export.folds import FOLD, SCORE
from rootflow.export.ranges import Ranges
from rootflow.export.units import GEV
from rootflow.exported.contract import Collection, Feature, OnnxContract, Tensor
from rootflow.models import chosen_inputs

ORDER = "four leptons by falling pT; the sign of pdg_id is negative for positive charge"
MEANING = {
    "leptons": "the four charged leptons",
    "event": "features of the event",
    FOLD: "the fold that the event is in, which says whose model scores it",
    SCORE: "probability that the event is signal",
}
LEPTONS = 4


@dataclass(frozen=True)
class ClassifierOrigin:
    """Whose models they are, what they see, and where they came from.

    Attributes
    ----------
    units
        By collection and feature.
    branch_map, selection
        How the ntuples of the training were read, and which of their events were kept.
    ranges
        Of the features.
    metrics
        What is known of the trainings and of the proof.
    """

    analysis: str
    name: str
    opset: int
    folds: FoldingConfig
    inputs: InputsConfig
    features: Features
    units: Mapping[str, Mapping[str, str]]
    branch_map: str
    selection: Mapping[str, Any]
    ranges: Ranges
    provenance: Mapping[str, str]
    metrics: Mapping[str, float]

    def stem(self, held_out: int | None) -> str:
        """Return the name of a file without its ending; None is that of all folds."""
        if held_out is None:
            return f"{self.analysis}_{self.name}_all_folds"
        return f"{self.analysis}_{self.name}_applied_to_{fold_name(self.without(held_out))}"

    def without(self, held_out: int) -> FoldsConfig:
        """Return the folds of the training of one of the models."""
        return FoldsConfig(count=self.folds.count, scheme=self.folds.scheme, held_out=held_out)


def classifier_contract(origin: ClassifierOrigin, held_out: int | None) -> OnnxContract:
    """Return the contract of the file of one fold, or with None of that of all folds."""
    shapes: dict[str, tuple[int | str, ...]] = {
        "leptons": (BATCH_AXIS, LEPTONS),
        "event": (BATCH_AXIS,),
    }
    inputs = [
        Tensor(
            name=name,
            type="float32",
            shape=(*shapes[name], len(origin.features[name])),
            meaning=MEANING[name],
            features=tuple(
                Feature(
                    name=feature,
                    unit=origin.units[name][feature],
                    range=range_of(origin.ranges[name][:, place]),
                )
                for place, feature in enumerate(origin.features[name])
            ),
        )
        for name in chosen_inputs(origin.inputs)
    ]
    if held_out is None:
        inputs.append(
            Tensor(
                name=FOLD,
                type="int64",
                shape=(BATCH_AXIS,),
                meaning=MEANING[FOLD],
                unit="none",
            )
        )
        applies = f"every event, with its fold of {origin.folds.count} ({origin.folds.scheme})"
    else:
        applies = fold_in_words(origin.without(held_out))
    return OnnxContract(
        task="classification",
        analysis=origin.analysis,
        model=origin.name,
        opset=origin.opset,
        order=ORDER,
        padding="none",
        collections=tuple(
            Collection(
                name=name,
                slots=LEPTONS if name == "leptons" else None,
                mask=None,
                order="pt" if name == "leptons" else None,
                units=dict(origin.units[name]),
            )
            for name in chosen_inputs(origin.inputs)
        ),
        inputs=tuple(inputs),
        outputs=(
            Tensor(
                name=SCORE,
                type="float32",
                shape=(BATCH_AXIS, 1),
                meaning=MEANING[SCORE],
                unit="none",
            ),
        ),
        may_be_applied_to=applies,
        folds=origin.folds,
        held_out=held_out,
        uses={name: tuple(names) for name, names in chosen_inputs(origin.inputs).items()},
        branch_map=self_contained(origin.branch_map),
        selection=dict(origin.selection),
        **origin_fields("h4l", origin.provenance, origin.metrics),
    )


def sealed_classifier(proto: onnx.ModelProto, contract: OnnxContract) -> bytes:
    """Return the file with the contract in its metadata, and its checksum."""
    entries = {
        "rootflow.variant": contract.variant,
        "rootflow.units": GEV,
        "rootflow.fold_count": str(contract.folds.count),
        "rootflow.fold_scheme": contract.folds.scheme,
    }
    if contract.held_out is not None:
        entries["rootflow.fold_held_out"] = str(contract.held_out)
    return sealed(proto, contract, entries)
