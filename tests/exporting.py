"""Exports of small models, with all that is asked beside them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.config.export import ExportConfig, Precision, Target
from rootflow.dataset import Events
from rootflow.dataset.readings.dilepton import Dilepton
from rootflow.dataset.readings.four_leptons import FourLeptons
from toy_events import UNITS
from toy_four_leptons import H4L_UNITS

if TYPE_CHECKING:
    from rootflow.export.about import About
    from rootflow.export.writing import Export

# The file for TopCPToolkit among those of an export.
FLAT: tuple[Target, Precision] = ("topcptoolkit-flat", "float32")
ORIGIN = {"dataset": "0123456789abcdef", "run_id": "run-of-the-training"}


def about_ttbar(**changes: Any) -> "About":
    """Return that a network assigns jets; `folds` say what it was not trained on."""
    from rootflow.export.about import About

    folds: FoldsConfig = changes.pop("folds", FoldsConfig())
    said: dict[str, Any] = {
        "task": "reconstruction",
        "analysis": "ttbar",
        "name": "small",
        "folds": FoldingConfig(count=folds.count, scheme=folds.scheme),
        "held_out": folds.held_out,
        "units": UNITS,
        "branch_map": "topcptoolkit",
        "selection": Dilepton().model_dump(mode="json"),
        "provenance": ORIGIN,
    }
    return About(**said | changes)


def about_h4l(folds: FoldingConfig, **changes: Any) -> "About":
    """Return that a model tells signal from background."""
    from rootflow.export.about import About

    said: dict[str, Any] = {
        "task": "classification",
        "analysis": "h4l",
        "name": "toy",
        "folds": folds,
        "units": H4L_UNITS,
        "branch_map": "atlas_open_data",
        "selection": FourLeptons(selection=None).model_dump(mode="json"),
        "provenance": ORIGIN,
    }
    return About(**said | changes)


def exported_network(
    network: Any, events: Events, directory: Path, config: ExportConfig | None = None, **about: Any
) -> "Export":
    """Write a network that assigns jets."""
    from rootflow.export.preparation import prepare
    from rootflow.export.writing import write

    prepared = prepare(network, events, about_ttbar(**about), config or ExportConfig())
    return write([prepared], directory)[0]


def exported_classifiers(
    models: list[Any],
    events: Events,
    about: "About",
    directory: Path,
    config: ExportConfig | None = None,
) -> list["Export"]:
    """Write the models of all folds, and the file of all."""
    from dataclasses import replace

    from rootflow.export.preparation import prepare, prepare_all_folds
    from rootflow.export.samples import ranges_of
    from rootflow.export.writing import write

    config, about = config or ExportConfig(), replace(about, ranges=ranges_of([events]))
    prepared = [
        prepare(model, events, replace(about, held_out=fold), config)
        for fold, model in enumerate(models)
    ]
    return write([*prepared, prepare_all_folds(prepared, events, about, config)], directory)
