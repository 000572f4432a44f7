"""Settings of the methods that reconstruct ttbar: one block per method.

An entry of a list of methods is a name, which is a method with its default settings, or a
mapping of `method`, `name` (under which its metrics are logged) and settings. A further kind of
method is a further block in the union below.
"""

from collections.abc import Collection
from importlib.metadata import entry_points
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
    field_validator,
    model_validator,
)

from rootflow.config.block import Block, Name
from rootflow.config.model import ClassifierConfig
from rootflow.config.plugin import GROUPS

MODEL = "model"
MOST_ETAS = 1000  # for each neutrino: all pairs are tried
EligibleChoice = Literal["two_best", "working_point", "all"]
# The name of a method, or `model` for the network under evaluation.
Reference = Name


class MethodBlock(Block):
    """What every method has: a name, and whether it gives neutrinos."""

    gives_neutrinos: ClassVar[bool] = True
    refers: ClassVar[tuple[str, ...]] = ()
    name: Name

    def references(self) -> tuple[str, ...]:
        """Return the methods that this one is made of, as its fields `refers` name them."""
        return tuple(getattr(self, field) for field in self.refers)


class RandomConfig(MethodBlock):
    """Two different jets, drawn at random."""

    gives_neutrinos = False
    method: Literal["random"]
    name: Name = "random"


class TruthConfig(MethodBlock):
    """The matched jets and the true neutrinos."""

    method: Literal["truth"]
    name: Name = "truth"


class EligibleJetsBlock(MethodBlock):
    """Which jets a method may choose from."""

    eligible: EligibleChoice = Field(
        "two_best",
        description="two_best: of the highest btag, among equals of the highest pT; "
        "working_point: those with btag_min, filled up to two in that order; all",
    )
    btag_min: float = Field(4.0, description="smallest btag at the working point")


class DeltaRConfig(EligibleJetsBlock):
    """Jets close to the leptons."""

    gives_neutrinos = False
    method: Literal["delta_r"]
    name: Name = "delta_r"
    search: Literal["optimal", "greedy"] = Field(
        "optimal", description="smallest sum of both dR; greedy: the closest pair, then the other"
    )


class LeptonJetMassConfig(EligibleJetsBlock):
    """The smaller of the larger masses of jet and lepton."""

    gives_neutrinos = False
    method: Literal["m_lb"]
    name: Name = "m_lb"


class TopMassBlock(EligibleJetsBlock):
    """Methods that know the mass of the top quark."""

    top_mass_gev: PositiveFloat = Field(172.5, description="as in the LHC experiments' samples")


class Chi2Config(TopMassBlock):
    """The pair of jets that gives the best top masses with given neutrinos."""

    refers = ("neutrinos",)
    method: Literal["chi2"]
    name: Name = "chi2"
    neutrinos: Reference = Field(
        MODEL, description="whose: model, truth, branches, or any method's name"
    )
    sigma_gev: PositiveFloat = Field(20.0, description="resolution of the top mass")


class BranchesConfig(TopMassBlock):
    """The neutrinos that the ntuple itself holds, and jets by chi2."""

    method: Literal["branches"]
    name: Name = "branches"
    sigma_gev: PositiveFloat = Field(20.0, description="resolution of the top mass")


class SolverBlock(TopMassBlock):
    """Methods that know the masses of top quark and W boson."""

    w_mass_gev: PositiveFloat = Field(80.379, description="PDG 2018, as in the simulation")


class ExactSolverBlock(SolverBlock):
    """Methods with up to four exact solutions."""

    pairing: Literal["m_lb", "m_ttbar"] = Field(
        "m_lb",
        description="of the pairs of jets with a solution, that of the smaller larger m(lb), or "
        "of the smallest m(ttbar)",
    )


class EllipseConfig(ExactSolverBlock):
    """Intersections of the ellipses of both neutrinos."""

    method: Literal["ellipse"]
    name: Name = "ellipse"


class SonnenscheinConfig(ExactSolverBlock):
    """Roots of a quartic polynomial."""

    method: Literal["sonnenschein"]
    name: Name = "sonnenschein"


class ResolutionConfig(Block):
    """How well jets, leptons and MET are measured; terms and defaults are those of `detector`."""

    jet_noise_gev: NonNegativeFloat = 3.4
    jet_stochastic: NonNegativeFloat = Field(0.75, description="in sqrt(GeV)")
    jet_constant: NonNegativeFloat = 0.04
    jet_angle: NonNegativeFloat = Field(0.01, description="of eta and of phi")
    lepton: NonNegativeFloat = Field(0.018, description="relative, of the energy")
    met_gev: NonNegativeFloat = Field(
        0.0, description="of px and of py, beside what jets and leptons do to the MET"
    )


class NeutrinoWeightingConfig(SolverBlock):
    """The pseudorapidities of both neutrinos that explain the MET best."""

    method: Literal["neutrino_weighting"]
    name: Name = "neutrino_weighting"
    eta_max: PositiveFloat = Field(5.0, description="largest |eta| that is tried")
    eta_step: PositiveFloat = 0.2
    met_sigma_gev: PositiveFloat = Field(15.0, description="of px and of py, in the weight")
    throws: NonNegativeInt = Field(
        0,
        le=10_000,
        description="of jets, leptons and MET within their resolution, tried beside the measured",
    )
    resolution: ResolutionConfig = ResolutionConfig()

    @model_validator(mode="after")
    def _tries_are_not_endless(self) -> Self:
        if not 2 * self.eta_max / self.eta_step <= MOST_ETAS:
            raise ValueError(f"eta_step: there are more than {MOST_ETAS} steps up to eta_max")
        return self


class SmearedEllipseConfig(SolverBlock):
    """The ellipses of thrown jets, leptons and W masses, averaged."""

    method: Literal["smeared_ellipse"]
    name: Name = "smeared_ellipse"
    throws: PositiveInt = Field(100, le=10_000, description="of each pair of jets")
    w_width_gev: NonNegativeFloat = Field(2.085, description="PDG")
    resolution: ResolutionConfig = ResolutionConfig()


class HybridConfig(MethodBlock):
    """The jets of one method and the neutrinos of another."""

    refers = ("assignment", "neutrinos")
    method: Literal["hybrid"]
    name: Name = "hybrid"
    assignment: Reference
    neutrinos: Reference = Field(description="a solver's are those of the jets of `assignment`")


class OwnMethodConfig(MethodBlock):
    """A method of one's own; `method: package.module:Class` stands for `own` and this code."""

    method: Literal["own"]
    code: str = Field(
        description="package.module:Class, or an entry point of the group rootflow.methods, "
        "called with name and settings"
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="of the class")


class ModelMethodConfig(MethodBlock):
    """A trained model of another run, file or folder, beside the one under evaluation."""

    method: Literal["model"]
    source: str = Field(
        min_length=1,
        description="models:/NAME/VERSION or models:/NAME@ALIAS; runs:/RUN_ID of an export; "
        "a named ONNX file; or the folder of a training",
    )


class VariantConfig(MethodBlock):
    """The network under evaluation with other settings, trained where that was not done yet."""

    method: Literal["variant"]
    settings: dict[str, Any] = Field(
        min_length=1, description="seed, or a path below model or training: another value"
    )

    @field_validator("settings")
    @classmethod
    def _of_model_or_training(cls, settings: dict[str, Any]) -> dict[str, Any]:
        for path in settings:
            if path.partition(".")[0] not in ("seed", "model", "training") or path == "model.name":
                raise ValueError(f"{path}: a variant has another seed, model or training")
        return settings


class EnsembleConfig(MethodBlock):
    """The mean of several networks, such as those of several seeds."""

    method: Literal["ensemble"]
    name: Name = "ensemble"
    of: tuple[Reference, ...] = Field(min_length=2, description="model, variants, other models")

    def references(self) -> tuple[str, ...]:
        """Return the networks that it is the mean of."""
        return self.of


def _from_name(value: Any) -> Any:
    if isinstance(value, str | MethodBlock) or (isinstance(value, dict) and "method" in value):
        return _own(value)
    raise ValueError("write the name of a method, or a mapping {method: NAME, ...}")


def _own(value: Any) -> Any:
    """Return a method as it is, one that is named by its code as one of one's own."""
    value = {"method": value} if isinstance(value, str) else value
    code = value.get("method") if isinstance(value, dict) else None
    if not isinstance(code, str):
        return value
    installed = {entry.name for entry in entry_points(group=GROUPS["method"])}
    if ":" not in code and code not in installed - set(METHODS):
        return value
    name = code.rpartition(":")[2].rpartition(".")[2]
    return {"name": name, **value, "method": "own", "code": code}


MethodConfig = Annotated[
    RandomConfig
    | DeltaRConfig
    | LeptonJetMassConfig
    | Chi2Config
    | EllipseConfig
    | SonnenscheinConfig
    | NeutrinoWeightingConfig
    | SmearedEllipseConfig
    | BranchesConfig
    | HybridConfig
    | OwnMethodConfig
    | ModelMethodConfig
    | VariantConfig
    | EnsembleConfig
    | TruthConfig,
    Field(discriminator="method"),
    BeforeValidator(_from_name),
]

_BLOCKS: tuple[type[MethodBlock], ...] = get_args(get_args(MethodConfig)[0])
METHODS: dict[str, type[MethodBlock]] = {
    get_args(block.model_fields["method"].annotation)[0]: block for block in _BLOCKS
}
# Those that a reference may name without an entry of their own.
_MADE_OF_OTHERS = ("own", "hybrid", "variant", "ensemble", MODEL)
WITH_DEFAULTS = tuple(name for name in METHODS if name not in _MADE_OF_OTHERS)


def _told_apart(methods: list[Any]) -> list[Any]:
    names = [method.name for method in methods]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two methods are named {name}: give one of them another name")
        if name == MODEL:
            raise ValueError(f"{MODEL} is the network under evaluation: give another name")
    return methods


def _references_exist(methods: list[Any]) -> list[Any]:
    gives_neutrinos = {name: METHODS[name].gives_neutrinos for name in WITH_DEFAULTS}
    gives_neutrinos = {MODEL: True, **gives_neutrinos}
    for method in methods:
        _require_known(
            method,
            gives_neutrinos,
            "the methods before it in the list, and those with their default settings",
        )
        lender = getattr(method, "neutrinos", None)
        if lender is not None and not gives_neutrinos[lender]:
            raise ValueError(f"{method.name}: {lender} gives no neutrinos")
        gives_neutrinos[method.name] = method.gives_neutrinos
    return methods


def _models_exist(methods: list[Any]) -> list[Any]:
    known = [MODEL]
    for method in methods:
        _require_known(method, known, "the models before it in the list")
        known.append(method.name)
    return methods


def _require_known(method: Any, known: Collection[str], which: str) -> None:
    for reference in method.references() if isinstance(method, MethodBlock) else ():
        if reference not in known:
            raise ValueError(
                f"{method.name}: '{reference}' is none of {', '.join(known)} ({which})"
            )


MethodConfigs = Annotated[
    list[MethodConfig], AfterValidator(_told_apart), AfterValidator(_references_exist)
]


def _what(entry: Any) -> str:
    of_method = "method" in entry if isinstance(entry, dict) else hasattr(entry, "method")
    return TAGS[of_method]


# What tells blocks of models apart that stand beside a classifier; not part of a user's paths.
TAGS = ("an architecture", "a method")
ClassifierMethodConfig = Annotated[
    Annotated[ClassifierConfig, Tag(TAGS[0])]
    | Annotated[
        Annotated[
            OwnMethodConfig | ModelMethodConfig | VariantConfig | EnsembleConfig,
            Field(discriminator="method"),
        ],
        Tag(TAGS[1]),
    ],
    Discriminator(_what),
    BeforeValidator(_own),
]


ClassifierMethodConfigs = Annotated[
    list[ClassifierMethodConfig], AfterValidator(_told_apart), AfterValidator(_models_exist)
]
