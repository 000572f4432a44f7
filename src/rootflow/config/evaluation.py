"""Settings of the evaluation."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat

from rootflow.config.block import Block
from rootflow.config.methods import MethodConfigs


def _rising(edges: list[float]) -> list[float]:
    if len(edges) < 2 or any(low >= high for low, high in pairwise(edges)):
        raise ValueError("bin edges are two or more numbers, each larger than the one before")
    return edges


BinEdges = Annotated[list[float], AfterValidator(_rising)]


class EvaluationConfig(Block):
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
    replicas: int = Field(1000, ge=2, description="bootstrap replicas behind each error")
    top_pt_edges: BinEdges = Field(
        [0, 50, 100, 150, 200, 300, 500], description="bins of the true pT of the top quark, GeV"
    )
    mtt_edges: BinEdges = Field(
        [320, 380, 430, 500, 600, 750, 1000], description="bins of the true m(ttbar), GeV"
    )
    style: Literal["neutral", "ATLAS", "CMS"] = Field("neutral", description="of the figures")
    energy_tev: PositiveFloat | None = Field(
        None, description="centre-of-mass energy for the figures' labels; none: not said"
    )
