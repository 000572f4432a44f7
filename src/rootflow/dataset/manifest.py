"""What a dataset says of itself."""

from pathlib import Path

from pydantic import ValidationError

from rootflow.config.block import Block
from rootflow.config.data import SelectionConfig
from rootflow.errors import InputError
from rootflow.ntuple import Feature

# Counts up whenever the same ntuples and settings would give other arrays.
DATASET_VERSION = 2
MANIFEST = "manifest.json"


class SourceFile(Block):
    """One input file; its place in the list is the events' `file_index`."""

    path: str
    bytes: int
    sha256: str
    events_read: int
    events_selected: int
    sum_of_weights_read: float
    sum_of_weights_selected: float


class Cut(Block):
    """Events and sum of nominal weights that are left after a cut."""

    name: str
    events: int
    sum_of_weights: float


class Array(Block):
    """The type and shape of one array."""

    dtype: str
    shape: tuple[int, ...]


class Folds(Block):
    """How the folds were made."""

    count: int
    scheme: str


class Normalisation(Block):
    """How weights were scaled to the expected number of events."""

    cross_section_pb: float
    luminosity_fb_inverse: float
    sum_of_weights: float


class Manifest(Block):
    """What a dataset is, and where each part of it came from.

    Attributes
    ----------
    features
        Of jets, leptons, met and event in the order of the arrays, with units and the
        branches that they came from.
    event_numbers_in_several_files
        How many event numbers the selected events of more than one file have: other jobs
        of a generator may count from the same number, the same event must not be twice.
    normalisation
        None where the weights are the product of the weight branches alone.
    """

    dataset_version: int
    rootflow_version: str
    digest: str
    events: int
    max_jets: int
    branch_map: str
    features: dict[str, tuple[Feature, ...]]
    arrays: dict[str, Array]
    files: tuple[SourceFile, ...]
    event_numbers_in_several_files: int
    selection: SelectionConfig
    cutflow: tuple[Cut, ...]
    normalisation: Normalisation | None
    sum_of_weights: float
    folds: Folds


class _Version(Block, extra="ignore"):
    dataset_version: int


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of a dataset.

    Raises
    ------
    InputError
        There is none, it is not whole, or another version of rootflow's datasets wrote it.
    """
    path = directory / MANIFEST
    try:
        text = path.read_text()
    except OSError as error:
        raise InputError(
            f"{directory}: not a dataset: cannot read its {MANIFEST}: {error.strerror}"
        ) from None
    try:
        version = _Version.model_validate_json(text).dataset_version
        if version != DATASET_VERSION:
            raise InputError(
                f"{directory}: a dataset of version {version}, this rootflow reads version "
                f"{DATASET_VERSION}: remove {directory} and run preprocess again"
            )
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise InputError(
            f"{path}: the manifest is damaged ({where}: {fault['msg']}): remove {directory} "
            f"and run preprocess again"
        ) from None
