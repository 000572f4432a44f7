"""Settings of the promotion: when a registered model becomes the champion."""

from typing import Annotated, Literal

from pydantic import Field

from rootflow.config.block import BinEdges, Block

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
    """Of networks that assign jets; bins are those of `evaluation.bins`."""

    metric: Literal[
        "assignment_accuracy", "either_accuracy", "selection_accuracy", "mtt_resolution"
    ] = "assignment_accuracy"


class ClassifierPromotionConfig(PromotionConfig):
    """Of classifiers; bins are those of any feature of the event, such as m4l."""

    metric: Literal["auc"] = "auc"
