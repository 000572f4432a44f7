"""Datasets of settings alone: each kind of data is read as its analysis does."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import rootflow.dataset
from rootflow.config import CollectionsDataConfig
from rootflow.config.data import DataConfig, DileptonDataConfig, FourLeptonDataConfig
from rootflow.dataset import Dataset
from rootflow.dataset.reading import Collections, Reading
from rootflow.dataset.readings.dilepton import Dilepton
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.dataset.samples import SamplePlan, plans
from rootflow.places import Place

Files = Mapping[str, Sequence[Place]]
READINGS: dict[type[DataConfig], type[Reading]] = {
    DileptonDataConfig: Dilepton,
    FourLeptonDataConfig: FourLeptons,
    CollectionsDataConfig: Collections,
}


def reading_of(config: DataConfig) -> Reading:
    """Return what the analysis of these settings adds to reading."""
    return READINGS[type(config)].of(config)


def build(config: DataConfig, files: Files, directory: Path) -> Dataset:
    """Return the dataset that these files and settings make."""
    return rootflow.dataset.build(config, files, directory, reading_of(config))


def digest(config: DataConfig, files: Files, memory: Path | None = None) -> str:
    """Return the name of that dataset."""
    return rootflow.dataset.digest(config, files, reading_of(config), memory)


def plans_of(config: DataConfig, files: Files) -> list[SamplePlan]:
    """Return what is to be made of the files of each sample."""
    return plans(config, files, reading_of(config))
