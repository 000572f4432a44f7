"""What others' test suites call, on networks that keep the contract and that do not."""

from typing import Any

import pytest

from rootflow.config import ClassifierConfig
from rootflow.config.model import (
    DeepSetConfig,
    FeedForwardClassifierConfig,
    SetTransformerClassifierConfig,
)
from rootflow.errors import ConformanceError, UsageError
from rootflow.testing import (
    check_architecture,
    check_observable,
    check_reconstruction_architecture,
)
from toy_four_leptons import toy_four_leptons

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


def test_a_network_of_ones_own_for_reconstruction_keeps_the_contract() -> None:
    check_reconstruction_architecture("own_network:tokens", {"width": 4})


def test_a_broken_contract_of_reconstruction_is_told() -> None:
    with pytest.raises(ConformanceError, match="does not depend on the other events"):
        check_reconstruction_architecture("own_network:tokens_by_batch")
    with pytest.raises(
        UsageError, match=r"returns a tensor \(None, 5, 8\): it has to return tensors \(n, 5, feat"
    ):
        check_reconstruction_architecture("own_network:tokens_without_event")


def test_an_observable_is_one_number_for_each_event() -> None:
    events = toy_four_leptons(20)
    check_observable("own_methods:lepton_pt", events)
    with pytest.raises(ConformanceError, match="depends on the other events"):
        check_observable("own_methods:mean_lepton_pt", events)
