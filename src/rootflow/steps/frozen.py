"""An exported model, and whether it may be evaluated on the data of a configuration."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rootflow import __version__
from rootflow.config import Config
from rootflow.dataset.manifest import Manifest
from rootflow.errors import InputError, UsageError
from rootflow.exported.contract import OtherCode, check_code
from rootflow.methods.exported import OnnxMethod
from rootflow.ntuple import fold_number_fault
from rootflow.progress import say
from rootflow.steps.exported_files import REGISTERED, RUN_ID, find
from rootflow.steps.preprocess import reading_of, simulated_maps
from rootflow.steps.registry.choosing import names_of
from rootflow.tracking import Run
from rootflow.tracking.run import flat

TAG = "rootflow.evaluated"
SETTING = "evaluate --model"
SIMULATION = "simulation"
# What the inputs of a file may be in, though rootflow's events are in GeV.
CONVERTED = {"MeV": "GeV"}


class Frozen(NamedTuple):
    """A model that is evaluated as it is, and what is noted of its files."""

    model: OnnxMethod
    origin: dict[str, Any]

    @property
    def called(self) -> str:
        """What it was asked for as: models:/NAME/VERSION, the id of its run, or its file."""
        named = next(self.origin[key] for key in ("uri", "run", "file") if key in self.origin)
        return named if isinstance(named, str) else " ".join(named)


def open_frozen(config: Config, named: str, folder: Path, other_code: OtherCode) -> Frozen:
    """Return an exported model, of the analysis, selection and folds of the configuration."""
    _refuse_unknown(config, named)
    paths, origin = find([named], folder, SETTING)
    try:
        model = OnnxMethod(*paths, other_code="warn")
    except InputError as error:  # of files that were fetched nobody knows the paths
        reason = str(error)
        for path in paths:
            reason = reason.replace(str(path), named) if path.is_relative_to(folder) else reason
        raise InputError(reason) from None
    frozen, contract = Frozen(model, origin), model.contract
    if contract.analysis != config.analysis:
        raise UsageError(
            f"{frozen.called}: a model of {contract.analysis}, the configuration is of "
            f"{config.analysis}"
        )
    check_code(contract, named, other_code)
    if (fault := fold_fault(config, model)) is not None:
        raise UsageError(f"{frozen.called}: {fault}")
    _refuse_other_fold_numbers(config, frozen)
    _refuse_other_selection(config, frozen.called, contract.selection)
    return frozen


def fold_fault(config: Config, model: OnnxMethod) -> str | None:
    """Return why a model may have seen events that are held out, None where it has not."""
    ours, theirs = config.data.folds, model.folding
    if ours.folding != theirs:
        return (
            f"its events were divided into {theirs.count} folds of the scheme "
            f"{theirs.scheme}, data.folds has {ours.count} of {ours.scheme}"
        )
    seen = [fold.held_out for fold in ours.in_turn() if fold.held_out not in model.held_out]
    if not seen:
        return None
    return (
        f"has not seen fold {_listed(model.held_out)}, but has seen "
        f"fold {_listed(seen)}, which data.folds holds out"
    )


def refuse_other_units(manifest: Manifest, frozen: Frozen) -> None:
    """Refuse a dataset whose features are in other units than the model takes."""
    units = {
        (collection, feature.name): feature.unit
        for collection, features in manifest.features.items()
        for feature in features
    }
    for tensor in frozen.model.contract.inputs:
        for feature in tensor.features:
            found = units.get((tensor.name, feature.name))
            if found is not None and found != CONVERTED.get(feature.unit, feature.unit):
                raise UsageError(
                    f"{frozen.called}: takes {feature.name} of {tensor.name} in {feature.unit}, "
                    f"the dataset has it in {found}"
                )


def facts_of(frozen: Frozen, left_out: Sequence[str]) -> dict[str, Any]:
    """Return what is told of the model, and of models that would have to be trained."""
    if frozen.model.trained_on_these:
        simulation = "that of the model's training"
    elif SIMULATION in frozen.model.contract.provenance:
        simulation = "other than that of the model's training"
    else:
        simulation = "not known to be that of the model's training"
    facts = {
        "evaluated": frozen.called,
        "simulation": simulation,
        "left_out_as_they_need_training": left_out,
        "other_code": frozen.model.other_code,
    }
    return {name: fact for name, fact in facts.items() if fact}


def describe(run: Run, frozen: Frozen) -> None:
    """Say in a run which model it evaluated."""
    contract = frozen.model.contract
    training = contract.provenance.get("training", "unknown")
    said = {"model": contract.model, "training": training, **frozen.origin}
    run.set_tags({TAG: frozen.called, **{f"{TAG}.{key}": value for key, value in said.items()}})
    if frozen.model.other_code:
        note_other_code(run, [frozen.model.other_code])


def provenance_of(config: Config, run: Run, manifest: Manifest, frozen: Frozen) -> dict[str, str]:
    """Return the origin of what `run` finds of the model, by name."""
    contract = frozen.model.contract
    origin = contract.provenance
    kept = ("architecture", "training", "training_run_id", "training_git_commit")
    return {
        "analysis": config.analysis,
        "model": contract.model,
        "evaluated": frozen.called,
        "sha256": str(frozen.origin["sha256"]),
        "exported_by_run": contract.run_id or "unknown",
        "run_id": run.run_id,
        "dataset": manifest.digest,
        SIMULATION: manifest.simulation_digest,
        f"training_{SIMULATION}": origin.get(SIMULATION, "unknown"),
        **{key: origin.get(key, "unknown") for key in kept},
        **({"other_code": differs} if (differs := frozen.model.other_code) else {}),
        "seed": str(config.seed),
        "rootflow_version": __version__,
    }


def note_other_code(run: Run, differing: Sequence[str]) -> str:
    """Say, and write into a run, how code differs from that of exported models; return it."""
    text = "; ".join(differing)
    say(f"evaluate: {text}")
    run.set_tags({"rootflow.other_code": text})
    return text


def _refuse_unknown(config: Config, named: str) -> None:
    """Refuse a lone word that is nothing: it may be a name with a mistake in it."""
    is_word = not set(named) & set("/*?[ ") and not Path(named).exists()
    if is_word and not named.startswith(REGISTERED) and not RUN_ID.fullmatch(named):
        raise UsageError(
            f"{SETTING} {named}: no model of the configuration, which has "
            f"{', '.join(names_of(config))}; and no file, no id of a run, no models:/NAME/VERSION"
        )


def _refuse_other_fold_numbers(config: Config, frozen: Frozen) -> None:
    """Refuse maps of simulation with which something else decides the folds."""
    for name in sorted(simulated_maps(config)):
        if fault := fold_number_fault(name, frozen.model.contract.branch_map):
            raise UsageError(f"{frozen.called}: branch map {name}: {fault}")


def _refuse_other_selection(config: Config, called: str, selection: dict[str, Any]) -> None:
    reading = reading_of(config)
    known = type(reading).model_validate(selection)
    theirs, ours = (flat(each.model_dump(mode="json")) for each in (known, reading))
    differing = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    if differing:
        said = "; ".join(
            f"data.{name} is {ours.get(name)}, of its training it was {theirs.get(name)}"
            for name in differing
        )
        raise UsageError(f"{called}: learnt from events that were selected otherwise: {said}")


def _listed(values: Any) -> str:
    return ", ".join(map(str, values))
