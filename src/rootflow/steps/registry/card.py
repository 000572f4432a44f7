"""The card of a registered model, as Markdown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rootflow.dataset.manifest import Manifest
from rootflow.evaluation.results import Estimate
from rootflow.exported.contract import ClassifierContract, ReconstructionContract
from rootflow.steps.registry.ranges import Range

FILES_NAMED = 6
FIGURES_NAMED = 8
VALIDATION, PARITY, ERROR = "validation_", "parity_", "_error"


@dataclass(frozen=True)
class Subject:
    """What a card tells of.

    Attributes
    ----------
    uri, trained_uri
        Of the ONNX file, and of what it was made from, in the registry.
    contract
        What the file says of itself.
    manifest
        Of the dataset.
    ranges
        Of the features that the model sees.
    validation
        Metrics at the best epoch, by name, with `NAME_error` where there is one.
    evaluated
        What the evaluation found of it, by metric; empty without one.
    evaluation_run, training_run
        Their ids; None where the tracking server does not know one.
    parity
        The largest differences of ONNX and the trained model.
    figures
        Artifact paths by run.
    """

    uri: str
    trained_uri: str
    contract: ReconstructionContract | ClassifierContract
    manifest: Manifest
    ranges: Sequence[Range]
    validation: Mapping[str, float]
    evaluated: Mapping[str, Estimate]
    evaluation_run: str | None
    training_run: str | None
    parity: Mapping[str, float]
    figures: Mapping[str, Sequence[str]]


def model_card(subject: Subject) -> str:
    """Return what a user has to know before they apply a model."""
    name, version = subject.uri.removeprefix("models:/").split("/")
    contract, origin = subject.contract, subject.contract.provenance
    lines = [
        f"# {name}, version {version}",
        f"{contract.model} ({_of(origin, 'architecture')}), analysis {contract.analysis}. "
        f"ONNX with opset {contract.opset}; made from `{subject.trained_uri}`.",
        "## Limits of validity",
        *_limits(subject),
        "## Metrics",
        *_metrics(subject),
        "## Data",
        *_data(subject.manifest),
        "## Folds",
        *_folds(contract),
        "## Range of the inputs",
        *_ranges(subject),
        "## Figures",
        *_figures(subject),
        "## Origin and how to cite",
        f"- rootflow {contract.rootflow_version}, commit {_of(origin, 'training_git_commit')} "
        f"(tree {_of(origin, 'training_git_tree')})",
        f"- training run {_of(origin, 'training_run_id')}, export run {_of(origin, 'run_id')}, "
        f"seed {_of(origin, 'seed')}",
        f'- Cite as: "{name} version {version}, {contract.model} trained with rootflow '
        f'{contract.rootflow_version} on dataset {subject.manifest.digest}", with the commit.',
    ]
    return "\n".join(_spaced(lines)).strip() + "\n"


def _limits(subject: Subject) -> Iterator[str]:
    contract = subject.contract
    yield f"- May be applied to {contract.may_be_applied_to}; and to collisions."
    yield (
        "- Trained and evaluated on simulated events alone: how it does on collisions was not "
        "measured, and no systematic uncertainty is in the errors below."
    )
    yield "- Events have to pass the selection below, with objects as its ntuples define them."
    if isinstance(contract, ReconstructionContract):
        yield f"- Only the leading {contract.max_jets} jets are seen; {contract.order}."
    else:
        yield f"- {contract.order[0].upper()}{contract.order[1:]}."
    yield "- Beyond the ranges of the inputs below it extrapolates."


def _metrics(subject: Subject) -> Iterator[str]:
    rows: list[tuple[str, str, float, float | None]] = [
        ("evaluation", name, found.value, found.error) for name, found in subject.evaluated.items()
    ]
    rows += [
        ("validation", name.removeprefix(VALIDATION), value, subject.validation.get(name + ERROR))
        for name, value in subject.validation.items()
        if name.startswith(VALIDATION) and not name.endswith(ERROR)
    ]
    rows += [("parity", name.removeprefix(PARITY), at, None) for name, at in subject.parity.items()]
    yield from _table(
        ("from", "metric", "value"),
        ((where, name, _number(value, error)) for where, name, value, error in rows),
    )
    if not subject.evaluated:
        yield ""
        yield "No evaluation of this training was run before it was registered."


def _data(manifest: Manifest) -> Iterator[str]:
    yield f"- Dataset `{manifest.digest}`, {manifest.events:,} events"
    yield f"- Selection: {_settings(manifest.selection.model_dump(mode='json'))}"
    for sample in manifest.samples:
        label = f" ({sample.label})" if sample.label else ""
        yield (
            f"- Sample {sample.name}{label}: {sample.events:,} events, sum of weights "
            f"{sample.sum_of_weights:.6g}, branch map {sample.branch_map}"
        )
        for file in sample.files[:FILES_NAMED]:
            yield f"  - `{file.path.rpartition('/')[2]}`, SHA-256 {file.sha256[:16]}"
        more = len(sample.files) - FILES_NAMED
        if more > 0:
            yield f"  - and {more} more: see `manifest.json` of the run of preprocess"


def _folds(contract: ReconstructionContract | ClassifierContract) -> Iterator[str]:
    folds = contract.folds
    if isinstance(contract, ReconstructionContract):
        yield (
            f"{folds.count} folds by {folds.scheme} of the event number; trained on all but fold "
            f"{contract.folds.held_out}."
        )
    else:
        yield (
            f"{folds.count} folds by {folds.scheme} of the event number; one model for each, "
            "trained without it, and the input `fold` picks among them."
        )


def _ranges(subject: Subject) -> Iterator[str]:
    units = {
        (tensor.name, feature.name): feature.unit
        for tensor in subject.contract.inputs
        for feature in tensor.features
    }
    yield from _table(
        ("input", "from", "to", "unit"),
        (
            (
                f"{each.collection} {each.feature}",
                f"{each.low:.4g}",
                f"{each.high:.4g}",
                units.get((each.collection, each.feature), ""),
            )
            for each in subject.ranges
        ),
    )


def _figures(subject: Subject) -> Iterator[str]:
    if subject.evaluation_run:
        yield f"- Report: `runs:/{subject.evaluation_run}/report.html`"
    for run_id, paths in subject.figures.items():
        names = [path.rpartition("/")[2] for path in paths]
        more = f" and {len(names) - FIGURES_NAMED} more" if len(names) > FIGURES_NAMED else ""
        yield f"- `runs:/{run_id}/figures`: {', '.join(names[:FIGURES_NAMED])}{more}"
    if not subject.figures:
        yield "None is known."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _number(value: float, error: float | None) -> str:
    return f"{value:.4g}" if error is None else f"{value:.4g} ± {error:.2g}"


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items() if value is not None)


def _of(origin: Mapping[str, str], name: str) -> str:
    return origin.get(name, "unknown")


def _spaced(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with an empty one around each heading."""
    for line in lines:
        heading = line.startswith("#")
        if heading:
            yield ""
        yield line
        if heading:
            yield ""
