"""Settings of the evaluations, and of the promotion that follows them."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat

from rootflow.config.block import BinEdges, Block
from rootflow.config.methods import MethodConfigs


class FiguresConfig(Block):
    """What evaluations of both tasks are drawn with."""

    style: Literal["neutral", "ATLAS", "CMS"] = Field("neutral", description="of the figures")
    energy_tev: PositiveFloat | None = Field(
        None, description="centre-of-mass energy for the figures' labels; none: not said"
    )


class EvaluationConfig(FiguresConfig):
    """What the model is compared with, and how."""

    methods: MethodConfigs = Field(
        ["random", "delta_r", "m_lb", "truth"],
        validate_default=True,
        description="what stands beside the model: names, or mappings with settings",
    )

    neutrinos: str = Field(
        "model",
        description="whose neutrinos complete m(ttbar) of methods that have none of their own: "
        "model, none, or a method's name",
    )
    replicas: int = Field(
        1000, ge=2, le=100_000, description="bootstrap replicas behind each error"
    )
    bins: dict[str, BinEdges] = Field(
        {
            "jets": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5],
            "btags": [-0.5, 0.5, 1.5, 2.5, 3.5],
            "met": [0, 30, 60, 90, 130, 250],
            "top_pt": [0, 50, 100, 150, 200, 300, 500],
            "mtt": [320, 380, 430, 500, 600, 750, 1000],
            "pt_tt": [0, 25, 50, 90, 150, 300],
        },
        description="bins of accuracies: of jets, btags, met, or the true value of an observable; "
        "the last bin of a count takes all that is larger",
    )
    btag_min: float = Field(4, description="a jet of this b-tag quantile is counted in btags")
    reference: str | None = Field(
        None, description="accuracies are also drawn relative to this method; none: the first"
    )
    unfold: list[str] = Field(
        ["mtt", "pt_tt", "y_tt", "top_pt", "top_rapidity", "c_hel", "c_han"],
        description="observables whose migration matrices are written for unfolding",
    )
    drawn: list[str] | Literal["all"] = Field(
        [
            "mtt", "pt_tt", "y_tt", "top_pt", "top_rapidity", "top_mass", "w_plus_mass",
            "neutrino_px", "neutrino_pz", "neutrino_pt", "neutrino_eta",
            "angle_neutrino_lepton", "angle_neutrinos_visible", "c_hel", "c_han", "cos_k_plus",
        ],
        description="observables that get figures; all are in the tables",
    )  # fmt: skip
    importance_events: int = Field(
        2000, ge=0, description="events of the permutation importance of a network's inputs"
    )
    posterior_events: int = Field(1000, ge=0, description="events whose posteriors are sampled")
    posterior_samples: int = Field(200, ge=20, le=10_000, description="of each posterior")
    displays: int = Field(2, ge=0, le=1000, description="event displays of each kind")


Probability = Annotated[float, Field(gt=0, le=1)]


class PromotionConfig(Block):
    """What a candidate has to show against the champion, on events that neither has seen."""

    least_gain: float = Field(
        0.0,
        description="in the metric, over the champion; negative: by how much it may be worse",
    )
    p_value_max: Probability = Field(
        0.05, description="of the gain being no larger than least_gain; 1: whatever it is"
    )
    no_regression_in: dict[str, BinEdges] = Field(
        default_factory=dict, description="bins in none of which the metric may be worse"
    )
    regression_p_value: Probability = Field(
        0.05,
        description="a bin is worse where the p-value of its being no worse, times the number "
        "of bins, is below",
    )


class ReconstructionPromotionConfig(PromotionConfig):
    """What networks that assign jets are asked; bins are those of `evaluation.bins`."""

    metric: Literal[
        "assignment_accuracy", "either_accuracy", "selection_accuracy", "mtt_resolution"
    ] = "assignment_accuracy"


class ClassifierPromotionConfig(PromotionConfig):
    """What classifiers are asked; bins are those of any feature of the event, such as m4l."""

    metric: Literal["auc"] = "auc"
