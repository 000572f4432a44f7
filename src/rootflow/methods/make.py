"""From the configuration to methods."""

from collections.abc import Mapping, Sequence
from typing import Any

from rootflow.config import ClassifierConfig
from rootflow.config.methods import (
    METHODS,
    MODEL,
    BranchesConfig,
    Chi2Config,
    DeltaRConfig,
    EligibleJetsBlock,
    EllipseConfig,
    EnsembleConfig,
    HybridConfig,
    LeptonJetMassConfig,
    MethodBlock,
    ModelMethodConfig,
    NeutrinoWeightingConfig,
    OwnMethodConfig,
    RandomConfig,
    SmearedEllipseConfig,
    SolverBlock,
    SonnenscheinConfig,
    TruthConfig,
    VariantConfig,
)
from rootflow.errors import UsageError
from rootflow.methods.combined import EnsembleMethod, model_of
from rootflow.methods.contract import Method, Reconstructor
from rootflow.methods.reconstruction import solving
from rootflow.methods.reconstruction.baselines import RandomReconstructor, TruthReconstructor
from rootflow.methods.reconstruction.eligible import EligibleJets
from rootflow.methods.reconstruction.hybrid import HybridReconstructor
from rootflow.methods.reconstruction.pairing import DeltaRReconstructor, LeptonJetMassReconstructor
from rootflow.methods.reconstruction.solvers import Solve, SolverReconstructor
from rootflow.methods.reconstruction.top_mass import NtupleNeutrinos, TopMassReconstructor
from rootflow.plugins import resolve


def make(
    methods: Sequence[MethodBlock | ClassifierConfig | str],
    seed: int,
    model: Reconstructor | None = None,
    elsewhere: Mapping[str, Reconstructor] | None = None,
) -> list[Reconstructor]:
    """Return the methods in their order.

    Parameters
    ----------
    methods
        Blocks of `rootflow.config.methods`, or names for default settings.
    seed
        Of methods that draw or throw.
    model
        What `model` means in a hybrid or chi2.
    elsewhere
        Those that are open or trained already, by their names: of `ModelMethodConfig`,
        `VariantConfig` and architectures.

    Raises
    ------
    UsageError
        There is no method of a name, a model is not in `elsewhere`, or a method is made of one
        that is not there.
    """
    made: dict[str, Reconstructor] = {}
    for method in methods:
        block = default(method) if isinstance(method, str) else method
        if elsewhere and block.name in elsewhere:
            made[block.name] = elsewhere[block.name]
        elif isinstance(block, OwnMethodConfig):
            made[block.name] = _own(block)
        elif isinstance(block, MethodBlock):
            made[block.name] = _make(block, seed, _Others(made, seed, model))
        else:
            raise UsageError(f"the model {block.name} is not trained")
    return list(made.values())


def make_method(
    method: MethodBlock | str, seed: int, model: Reconstructor | None = None
) -> Reconstructor:
    """Return one method; see `make`."""
    return make([method], seed, model)[0]


def default(name: str) -> MethodBlock:
    """Return a method with its default settings.

    Raises
    ------
    UsageError
        There is no method of that name, or it has no default settings.
    """
    block = METHODS.get(name)
    if block is None:
        raise UsageError(f"there is no method {name}; there are {', '.join(METHODS)}")
    required = [key for key, field in block.model_fields.items() if field.is_required()]
    if required != ["method"]:
        missing = " and ".join(key for key in required if key != "method")
        raise UsageError(f"the method {name} needs settings: say its {missing}")
    settings: dict[str, Any] = {"method": name}
    return block.model_validate(settings)


class _Others:
    """The methods that a method may be made of."""

    def __init__(
        self, before: Mapping[str, Reconstructor], seed: int, model: Reconstructor | None
    ) -> None:
        self._before, self._seed, self._model = before, seed, model

    def __getitem__(self, name: str) -> Reconstructor:
        if name == MODEL:
            if self._model is None:
                raise UsageError("a method is made of the model, and there is none here")
            return self._model
        if name in self._before:
            return self._before[name]
        return make_method(name, self._seed, self._model)


def _make(block: MethodBlock, seed: int, others: _Others) -> Reconstructor:
    match block:
        case RandomConfig():
            return RandomReconstructor(seed, block.name)
        case TruthConfig():
            return TruthReconstructor(block.name)
        case DeltaRConfig():
            return DeltaRReconstructor(_eligible(block), block.search, block.name)
        case LeptonJetMassConfig():
            return LeptonJetMassReconstructor(_eligible(block), block.name)
        case Chi2Config() | BranchesConfig():
            return _by_top_mass(block, others)
        case HybridConfig():
            return HybridReconstructor(
                others[block.assignment], others[block.neutrinos], block.name
            )
        case EnsembleConfig():
            return EnsembleMethod(block.name, [model_of(others[name]) for name in block.of])
        case ModelMethodConfig() | VariantConfig():
            raise UsageError(f"the model {block.name} is not open")
        case SolverBlock():
            return _solver(block, seed)
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


def _by_top_mass(block: Chi2Config | BranchesConfig, others: _Others) -> TopMassReconstructor:
    return TopMassReconstructor(
        others[block.neutrinos] if isinstance(block, Chi2Config) else NtupleNeutrinos(),
        _eligible(block),
        block.top_mass_gev,
        block.sigma_gev,
        block.name,
    )


def _eligible(block: EligibleJetsBlock) -> EligibleJets:
    return EligibleJets(block.eligible, block.btag_min)


def _solver(block: SolverBlock, seed: int) -> SolverReconstructor:
    solve: Solve
    match block:
        case EllipseConfig() | SonnenscheinConfig():
            solve = solving.exact(block)
            of = "ellipses" if isinstance(block, EllipseConfig) else "Sonnenschein's quartic"
            chosen = {"m_lb": "larger m(lb)", "m_ttbar": "m(ttbar)"}[block.pairing]
            what = (
                f"exact neutrinos by {of}, the solution of the smallest m(ttbar); of the pairs "
                f"with a solution that of the smallest {chosen}"
            )
        case NeutrinoWeightingConfig():
            solve = solving.weighting(block)
            what = "the neutrinos' pseudorapidities that explain the MET best"
        case SmearedEllipseConfig():
            solve = solving.smeared(block)
            what = f"exact neutrinos averaged over {block.throws} throws with the weight of m(lb)"
        case _:
            raise UsageError(f"there is no method of the kind {type(block).__name__}")
    eligible = _eligible(block)
    return SolverReconstructor(
        name=block.name,
        description=f"{eligible.description}; {what}",
        solve=solve,
        eligible=eligible,
        seed=seed,
        shares=isinstance(block, SmearedEllipseConfig),
    )
