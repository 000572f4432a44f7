"""Every architecture with every head for the neutrinos, as small as they come."""

from typing import Any

from pydantic import TypeAdapter

from rootflow.config import ModelConfig

SMALL = {"width": 8, "depth": 1}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "feed_forward": {"architecture": "feed_forward"},
    "set_transformer": {"architecture": "set_transformer", "heads": 2},
    "induced": {
        "architecture": "set_transformer",
        "heads": 2,
        "inducing_points": 3,
        "pooling_seeds": 2,
    },
    "cross_attention": {"architecture": "cross_attention", "heads": 2},
    "recurrent": {"architecture": "recurrent"},
}
HEADS: dict[str, dict[str, Any]] = {
    "direct": {"head": "direct"},
    "binned": {"head": "binned", "bins": 8},
    "flow": {"head": "flow", "layers": 2, "width": 8, "bins": 4, "samples": 4},
}


def small_architectures() -> dict[str, ModelConfig]:
    """Return the settings of each combination by its name, those with a flow with no_match."""
    model: TypeAdapter[ModelConfig] = TypeAdapter(ModelConfig)
    return {
        f"{name}-{head}": model.validate_python(
            {
                **SMALL,
                **architecture,
                "neutrinos": settings,
                # Scores know nothing of the head: each architecture has both kinds.
                "no_match": head == "flow",
                "confidence": True,
            }
        )
        for name, architecture in ARCHITECTURES.items()
        for head, settings in HEADS.items()
        if name != "induced" or head == "flow"
    }
