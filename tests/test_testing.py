"""What others' test suites call, on networks that keep the contract and that do not."""

from typing import Any

import pytest

from rootflow.config import (
    ClassifierConfig,
    DeepSetConfig,
    FeedForwardClassifierConfig,
    SetTransformerClassifierConfig,
)
from rootflow.errors import ConformanceError, UsageError
from rootflow.testing import check_architecture

OURS: list[ClassifierConfig] = [
    FeedForwardClassifierConfig(architecture="feed_forward", width=8, depth=1, batch_norm=True),
    DeepSetConfig(architecture="deep_set", width=8, depth=1, batch_norm=True),
    SetTransformerClassifierConfig(architecture="set_transformer", width=8, depth=1, heads=2),
]


@pytest.mark.parametrize("config", OURS, ids=lambda config: config.architecture)
def test_ours_keep_the_contract_with_masks_and_several_classes(
    config: ClassifierConfig,
) -> None:
    order = None if config.architecture == "feed_forward" else "jets"
    check_architecture(config, classes=3, any_order_of=order)


def test_a_network_of_ones_own_keeps_the_contract() -> None:
    check_architecture("own_network:build", {"width": 4}, any_order_of="jets")


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("build_by_order", {"any_order_of": "leptons"}, "the order of leptons does not matter"),
        ("build_unregistered", {}, "saved and read again: register its layers by keras"),
    ],
)
def test_a_broken_contract_is_told(name: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConformanceError, match=said):
        check_architecture(f"own_network:{name}", **more)


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("build_nothing", {}, r"returns a tensor \(None, 2, 4\): it has to return a tensor"),
        ("build", {"widht": 3}, "failed: TypeError: .*unexpected keyword argument 'widht'"),
    ],
)
def test_a_network_that_cannot_be_built_is_one_line(
    name: str, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=rf"^model\.architecture: own_network:{name} {said}"):
        check_architecture(f"own_network:{name}", settings)
