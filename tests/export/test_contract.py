import pytest

from rootflow.config import FoldsConfig
from rootflow.export.contract import Origin


@pytest.mark.parametrize(
    ("folds", "stem"),
    [
        (FoldsConfig(count=2, held_out=0, scheme="parity"), "ttbar_network_applied_to_even"),
        (FoldsConfig(count=2, held_out=1, scheme="parity"), "ttbar_network_applied_to_odd"),
        (
            FoldsConfig(count=5, held_out=0, scheme="modulo"),
            "ttbar_network_applied_to_fold0of5_modulo",
        ),
        (FoldsConfig(count=2, held_out=1), "ttbar_network_applied_to_fold1of2"),
        (FoldsConfig(count=5, held_out=3), "ttbar_network_applied_to_fold3of5"),
    ],
)
def test_a_name_says_what_the_model_has_not_seen(folds: FoldsConfig, stem: str) -> None:
    origin = Origin("ttbar", "network", 17, folds, "topcptoolkit", {}, {}, {})
    assert origin.stem == stem
