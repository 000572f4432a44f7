"""Settings of the evaluation."""

from pydantic import Field, PositiveInt

from rootflow.config.block import Block


class EvaluationConfig(Block):
    """What the model is compared with, and how."""

    methods: list[str] = Field(
        ["random", "delta_r", "m_lb", "truth"], description="what stands beside the model"
    )
    replicas: PositiveInt = Field(1000, description="bootstrap replicas behind each error")
    style: str = Field("neutral", description="of the figures: ATLAS, CMS or neutral")
