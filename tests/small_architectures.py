"""Every architecture with every head for the neutrinos, as small as they come."""

from collections.abc import Iterable
from itertools import combinations, product
from typing import Any

from pydantic import TypeAdapter

from rootflow.config.model import ModelConfig

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
    return {
        # Scores know nothing of the head: each architecture has both kinds.
        f"{name}-{head}": _settings(name, head, no_match=head == "flow", confidence=True)
        for name in ARCHITECTURES
        for head in HEADS
        if name != "induced" or head == "flow"
    }


def covering_architectures() -> dict[str, ModelConfig]:
    """Return settings by name among which every pair of choices occurs, see `covers_pairs`."""
    return {
        _name(*choice): _settings(*choice)
        for a, name in enumerate(ARCHITECTURES)
        for h, head in enumerate(HEADS)
        for choice in [(name, head, (a + h) % 2 == 1, (a + h // 2) % 2 == 0)]
    }


def all_architectures() -> dict[str, ModelConfig]:
    """Return the settings of every combination of choices by its name."""
    choices = product(ARCHITECTURES, HEADS, (False, True), (False, True))
    return {_name(*choice): _settings(*choice) for choice in choices}


def covers_pairs(names: Iterable[str]) -> bool:
    """Return whether each two choices that are in some combination are together in one of these."""
    return _pairs(names) == _pairs(all_architectures())


def _pairs(names: Iterable[str]) -> set[tuple[tuple[int, str], ...]]:
    return {pair for name in names for pair in combinations(enumerate(name.split("-")), 2)}


def _name(architecture: str, head: str, no_match: bool, confidence: bool) -> str:
    return "-".join(
        [
            architecture,
            head,
            "no_match" if no_match else "matched",
            "confidence" if confidence else "plain",
        ]
    )


def _settings(architecture: str, head: str, no_match: bool, confidence: bool) -> ModelConfig:
    model: TypeAdapter[ModelConfig] = TypeAdapter(ModelConfig)
    return model.validate_python(
        {
            **SMALL,
            **ARCHITECTURES[architecture],
            "neutrinos": HEADS[head],
            "no_match": no_match,
            "confidence": confidence,
        }
    )
