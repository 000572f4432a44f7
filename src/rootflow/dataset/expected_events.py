"""The number of events that a sample stands for: cross section x luminosity."""

from collections.abc import Sequence

from rootflow.config.samples import ExpectationConfig, SampleConfig
from rootflow.dataset.manifest import Normalisation
from rootflow.dataset.plans import ReadFile
from rootflow.dataset.weights import positive, scaled_to
from rootflow.errors import InputError, UsageError
from rootflow.ntuple.four_leptons import Expectation, FourLeptonMap, Wanted


def wanted_for(
    quantities: tuple[str, ...],
    name: str,
    sample: SampleConfig,
    branch_map: FourLeptonMap,
    map_name: str,
) -> Wanted:
    """Return what is read of the files of a sample: what neither data nor settings say.

    Raises
    ------
    UsageError
        Nothing says the cross section or the sum of weights, or two things do.
    """
    if sample.label == "data":
        return Wanted(quantities)
    scaled = branch_map.expected_events is not None
    for key in ("cross_section_pb", "sum_of_weights"):
        where = f"data.samples.{name}.{key}"
        given = getattr(sample, key) is not None
        if scaled and given:
            raise UsageError(
                f"{where}: the weights that the branch map {map_name} names are scaled already"
            )
        if not (scaled or given or getattr(branch_map, key) is not None):
            raise UsageError(f"{where}: the branch map {map_name} names no branch of it: say it")
    return Wanted(
        quantities,
        weights=True,
        cross_section=not scaled and sample.cross_section_pb is None,
        sum_of_weights=not scaled and sample.sum_of_weights is None,
    )


def expected_events(
    config: ExpectationConfig,
    name: str,
    sample: SampleConfig,
    branch_map: FourLeptonMap,
    files: Sequence[ReadFile],
) -> Normalisation:
    """Return how the weights of a sample are scaled to the luminosity.

    Raises
    ------
    InputError
        A file says nothing, or the files contradict one another.
    UsageError
        It is not clear whether the sums of the files are to be added.
    """
    luminosity = config.luminosity_fb_inverse
    if branch_map.expected_events is not None:
        of_map = branch_map.expected_events.luminosity_fb_inverse
        factor = positive(luminosity / of_map, f"luminosity {luminosity:g}/fb / {of_map:g}/fb")
        return Normalisation(luminosity_fb_inverse=luminosity, factor=factor)
    cross_section, total = sample.cross_section_pb, sample.sum_of_weights
    if cross_section is None or total is None:
        _require_events(name, files)
    if total is not None:
        cross_section = cross_section or _only(name, files, "cross_section_pb")
    elif _are_of_one_sample(config, name, files):
        total = _only(name, files, "sum_of_weights")
        cross_section = cross_section or _only(name, files, "cross_section_pb")
    else:
        total = sum(_said(file, "sum_of_weights") for file in files)
        cross_section = cross_section or _mean_cross_section(files, total)
    return scaled_to(cross_section, luminosity, total)


def _are_of_one_sample(config: ExpectationConfig, name: str, files: Sequence[ReadFile]) -> bool:
    """Return whether each file says the sum of the whole sample, and not that of its own."""
    if config.sum_of_weights is not None or len(files) == 1:
        return config.sum_of_weights == "per_sample"
    first = files[0].expectation
    if all(file.expectation == first for file in files):
        raise UsageError(
            f"sample {name}: each of its {len(files)} files says {first.sum_of_weights:g} as its "
            f"sum of weights, of its own events or of the sample's: data.weights.sum_of_weights "
            f"must be per_file or per_sample"
        )
    return False


def _require_events(name: str, files: Sequence[ReadFile]) -> None:
    for file in files:
        if file.expectation == Expectation():
            raise InputError(
                f"{file.path}: it has no events, and so does not say its sum of weights, which "
                f"sample {name} needs: leave it out and give the sample's sum_of_weights and "
                f"cross_section_pb"
            )


def _only(name: str, files: Sequence[ReadFile], key: str) -> float:
    """Return what all files say alike."""
    first, *others = files
    value = _said(first, key)
    for other in others:
        if _said(other, key) != value:
            raise InputError(
                f"sample {name}: {first.path} says {value:g} as {key} of the sample, {other.path} "
                f"says {_said(other, key):g}: give one value as data.samples.{name}.{key}; only "
                f"with data.weights.sum_of_weights=per_file, and no sum of the sample, may files "
                f"differ"
            )
    return value


def _mean_cross_section(files: Sequence[ReadFile], total: float) -> float:
    """Return the mean of what generator jobs found, each as much as it has weights."""
    parts = (_said(file, "cross_section_pb") * _said(file, "sum_of_weights") for file in files)
    return sum(parts) / total


def _said(file: ReadFile, key: str) -> float:
    value: float = getattr(file.expectation, key)
    return value
