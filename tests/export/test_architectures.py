from pathlib import Path

import keras
import pytest

from rootflow.config import (
    CrossAttentionConfig,
    ExportConfig,
    FeedForwardConfig,
    FoldsConfig,
    ModelConfig,
    RecurrentConfig,
    SetTransformerConfig,
)
from rootflow.dataset import Events
from rootflow.export import export
from rootflow.models import build_model, fit_normalisation
from toy_events import UNITS


@pytest.mark.parametrize(
    "config",
    [
        FeedForwardConfig(architecture="feed_forward", width=32),
        SetTransformerConfig(architecture="set_transformer", width=16, depth=2),
        SetTransformerConfig(
            architecture="set_transformer", width=16, depth=1, inducing_points=3, pooling_seeds=2
        ),
        CrossAttentionConfig(architecture="cross_attention", width=16, depth=2, no_match=True),
        RecurrentConfig(architecture="recurrent", width=16, depth=1),
    ],
    ids=["feed_forward", "set_transformer", "induced", "cross_attention", "recurrent"],
)
def test_every_architecture_exports(
    config: ModelConfig, real_events: Events, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(2)
    few = real_events.take(slice(0, 3000))
    normalisation = fit_normalisation([(few, few.weight)])
    model = build_model(config, few.features, max_jets=8, normalisation=normalisation)
    made = export(
        model,
        few,
        FoldsConfig(),
        ExportConfig(),
        {},
        tmp_path / "onnx",
        units=UNITS,
        name=config.name,
    )
    assert made.named_path.name == f"ttbar_{config.name}_applied_to_fold0of5.onnx"
    assert max(row["probability"] for row in made.parity) <= 1e-5
    assert max(row["momentum"] for row in made.parity) <= 1e-3
