"""What a dataset says of itself."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rootflow.checksum import read_sealed, sealed_json
from rootflow.config.block import Block
from rootflow.config.data import FoldingConfig
from rootflow.errors import InputError
from rootflow.files import read_bytes, whole_file
from rootflow.ntuple import Feature
from rootflow.places.content import ToldBy

# The version of the format: how arrays and manifest are written, not what is in them.
DATASET_VERSION = 7
MANIFEST = "manifest.json"


class SourceFile(Block):
    """One input file, and sums of the product of its weight branches.

    Its place among the files of all samples, in their order, is the events' `file_index`. With its
    bytes the checksum, adler32:DIGITS, tells it from others; the server told it, or it was read. Of
    friends of its tree, the files are named. A file without the tree is of a job that selected no
    event.
    """

    path: str
    bytes: int
    checksum: str
    checksum_from: ToldBy
    events_read: int
    events_selected: int
    sum_of_weights_read: float
    sum_of_weights_selected: float
    has_tree: bool = True
    friends: tuple[str, ...] = ()


class SkippedFile(Block):
    """A file that was left out, and why."""

    path: str
    reason: str


class Cut(Block):
    """Events and sum of weights, scaled as the events' are, that are left after a cut."""

    name: str
    events: int
    sum_of_weights: float


class Array(Block):
    """The type and shape of one array, and the SHA-256 of its file."""

    dtype: str
    shape: tuple[int, ...]
    sha256: str


class WeightScaling(Block):
    """How the product of the weight branches was scaled to the expected number of events.

    Cross section and sum of weights are None where that product is expected events already, at
    another luminosity.
    """

    luminosity_fb_inverse: float
    factor: float
    cross_section_pb: float | None = None
    sum_of_weights: float | None = None


class Sample(Block):
    """The events of one process, or of collisions.

    It has no label where it is of no class, and no normalisation where the weights are the product
    of the weight branches alone, and in data, where they are 1. Repeated events were there before,
    in the same file or in one before. `events` are those selected, and `sum_of_weights` that of
    their scaled weights. Skipped files are no part of all this.
    """

    name: str
    label: str | None
    title: str
    branch_map: str
    files: tuple[SourceFile, ...]
    cutflow: tuple[Cut, ...]
    normalisation: WeightScaling | None
    sum_of_weights: float
    events: int
    repeated_events_dropped: int = 0
    repeated_events_kept: int = 0
    pseudo_data: bool = False
    skipped_files: tuple[SkippedFile, ...] = ()


class Manifest(Block):
    """What a dataset is, and where each part of it came from.

    `code` is the name of the code that made it, `read_by` the class that the analysis added to
    reading and `reading` its settings. `features` are those of each collection, met and event in
    the order of the arrays; the place of samples and classes is `sample` and `label` of events.
    `event_numbers_in_several_files` counts numbers that selected events of more than one file
    have: jobs of a generator may count from the same one, the same event must not be twice.
    """

    dataset_version: int
    rootflow_version: str
    digest: str
    code: str
    simulation_digest: str
    events: int
    features: dict[str, tuple[Feature, ...]]
    arrays: dict[str, Array]
    samples: tuple[Sample, ...]
    event_numbers_in_several_files: int
    classes: tuple[str, ...]
    read_by: str
    reading: dict[str, Any]
    sum_of_weights: float
    folds: FoldingConfig

    @property
    def max_jets(self) -> int:
        """Slots for jets; 0 where jets are no arrays."""
        return self.arrays["jets"].shape[1] if "jets" in self.arrays else 0


class _Version(Block, extra="ignore"):
    dataset_version: int


def write_manifest(manifest: Manifest, directory: Path) -> None:
    """Write the manifest of a dataset, with its checksum."""
    with whole_file(directory / MANIFEST) as partial:
        partial.write_bytes(sealed_json(manifest.model_dump_json(indent=1)))


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of a dataset."""
    path, again = directory / MANIFEST, f"remove {directory} and run preprocess again"
    try:
        content = read_bytes(path)
    except OSError as error:
        raise InputError(
            f"{directory}: not a dataset: cannot read its {MANIFEST}: {error.strerror}"
        ) from None
    try:
        version = _Version.model_validate_json(content).dataset_version
        if version != DATASET_VERSION:
            raise InputError(
                f"{directory}: a dataset of version {version}, this rootflow reads version "
                f"{DATASET_VERSION}: {again}"
            )
        return Manifest.model_validate_json(read_sealed(path, again))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise InputError(
            f"{path}: the manifest is damaged ({where}: {fault['msg']}): {again}"
        ) from None
