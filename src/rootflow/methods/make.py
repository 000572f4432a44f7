"""From the configuration to methods."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rootflow.config import ClassifierConfig
from rootflow.config.methods import (
    METHODS,
    MODEL,
    BranchesConfig,
    Chi2Config,
    DeltaRConfig,
    EnsembleConfig,
    HybridConfig,
    LeptonJetMassConfig,
    MethodBlock,
    ModelMethodConfig,
    OwnMethodConfig,
    RandomConfig,
    SolverBlock,
    TruthConfig,
    VariantConfig,
)
from rootflow.errors import UsageError
from rootflow.methods.combined import EnsembleMethod, model_of
from rootflow.methods.contract import Method, Reconstructor
from rootflow.methods.reconstruction.baselines import (
    HybridReconstructor,
    NtupleNeutrinos,
    RandomReconstructor,
    TopMassReconstructor,
    TruthReconstructor,
)
from rootflow.methods.reconstruction.pairing import CRITERIA, PairingReconstructor
from rootflow.methods.reconstruction.solvers import solver_of
from rootflow.plugins import resolve


def make(
    methods: Sequence[MethodBlock | ClassifierConfig | str],
    seed: int,
    model: Reconstructor | None = None,
    elsewhere: Mapping[str, Reconstructor] | None = None,
) -> list[Reconstructor]:
    """Return the methods of blocks in their order; a name stands for its default settings.

    The seed is of methods that draw or throw, and `model` what a hybrid or chi2 means by it.
    `elsewhere` has those that are open or trained already, by their names: of
    `ModelMethodConfig`, `VariantConfig` and architectures.
    """
    made: dict[str, Reconstructor] = {}

    def other(name: str) -> Reconstructor:
        if name == MODEL:
            if model is None:
                raise UsageError("a method is made of the model, and there is none here")
            return model
        return made[name] if name in made else make_method(name, seed, model)

    for method in methods:
        block = _default(method) if isinstance(method, str) else method
        if elsewhere and block.name in elsewhere:
            made[block.name] = elsewhere[block.name]
        elif isinstance(block, OwnMethodConfig):
            made[block.name] = _own(block)
        elif isinstance(block, MethodBlock):
            made[block.name] = _make(block, seed, other)
        else:
            raise UsageError(f"the model {block.name} is not trained")
    return list(made.values())


def make_method(
    method: MethodBlock | str, seed: int, model: Reconstructor | None = None
) -> Reconstructor:
    """Return one method; see `make`."""
    return make([method], seed, model)[0]


def _default(name: str) -> MethodBlock:
    """Return the settings of a method by its name; some have no defaults."""
    block = METHODS.get(name)
    if block is None:
        raise UsageError(f"there is no method {name}; there are {', '.join(METHODS)}")
    required = [key for key, field in block.model_fields.items() if field.is_required()]
    if required != ["method"]:
        missing = " and ".join(key for key in required if key != "method")
        raise UsageError(f"the method {name} needs settings: say its {missing}")
    return block.model_validate({"method": name})


def _make(block: MethodBlock, seed: int, other: Callable[[str], Reconstructor]) -> Reconstructor:
    match block:
        case RandomConfig():
            return RandomReconstructor(seed, block.name)
        case TruthConfig():
            return TruthReconstructor(block.name)
        case DeltaRConfig() | LeptonJetMassConfig():
            criterion = CRITERIA[block.search if isinstance(block, DeltaRConfig) else "mass"]
            return PairingReconstructor(block, criterion, block.name)
        case Chi2Config() | BranchesConfig():
            return TopMassReconstructor(
                other(block.neutrinos) if isinstance(block, Chi2Config) else NtupleNeutrinos(),
                block,
                block.top_mass_gev,
                block.sigma_gev,
                block.name,
            )
        case HybridConfig():
            return HybridReconstructor(other(block.assignment), other(block.neutrinos), block.name)
        case EnsembleConfig():
            return EnsembleMethod(block.name, [model_of(other(name)) for name in block.of])
        case ModelMethodConfig() | VariantConfig():
            raise UsageError(f"the model {block.name} is not open")
        case SolverBlock():
            return solver_of(block, seed)
    raise UsageError(f"there is no method of the kind {type(block).__name__}")


def _own(block: OwnMethodConfig) -> Method[Any]:
    """Return a method of one's own, made of its name and settings."""
    where = f"evaluation.methods: {block.name}"
    build = resolve(block.code, where)
    try:
        made: Method[Any] = build(name=block.name, **block.settings)
    except TypeError as error:
        raise UsageError(f"{where}: {block.code} cannot be made: {error}") from None
    if getattr(made, "name", None) != block.name or not hasattr(made, "answer"):
        raise UsageError(
            f"{where}: {block.code} makes no method: it needs answer(events), and the name that "
            "it is given"
        )
    return made
