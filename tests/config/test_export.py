from typing import Any

import pytest
from pydantic import ValidationError

from rootflow.config.export import ExportConfig


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"targets": ["athena"]}, "targets.*named among them"),
        ({"targets": ["named", "named"]}, "targets.*each once"),
        ({"targets": ["named", "lwtnn"]}, "targets"),
        ({"precisions": ["int8"]}, "precisions.*float32 among them"),
        ({"opset": 14}, "opset"),
        ({"opset": 21}, "opset"),
        ({"input_units": "TeV"}, "input_units"),
        ({"accuracy_loss_max": -0.1}, "accuracy_loss_max"),
    ],
)
def test_what_cannot_be_exported_is_refused(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){fault}"):
        ExportConfig(**settings)


def test_files_for_python_are_the_default_and_for_topcptoolkit_those_of_a_reconstruction() -> None:
    assert ExportConfig().targets_of("reconstruction") == ("named", "topcptoolkit-flat")
    assert ExportConfig().targets_of("classification") == ("named",)
    assert ExportConfig(targets=["named", "athena"]).targets_of("classification")[1] == "athena"
    assert ExportConfig().opset == 17
