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
    """Return the settings of each combination by a name, each architecture also with none."""
    model: TypeAdapter[ModelConfig] = TypeAdapter(ModelConfig)
    heads = [("direct", False), ("direct", True), ("binned", False), ("flow", True)]
    return {
        f"{name}-{head}{'-no_match' if no_match else ''}": model.validate_python(
            {
                **SMALL,
                **architecture,
                "neutrinos": HEADS[head],
                "no_match": no_match,
                "confidence": True,
            }
        )
        for name, architecture in ARCHITECTURES.items()
        for head, no_match in heads
    }
