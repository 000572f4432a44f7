import pytest
from keras import ops

from rootflow.errors import UsageError
from rootflow.models.own import own_assignment_loss, own_classifier_loss, own_neutrino_loss


def test_functions_of_each_kind_are_losses() -> None:
    assert callable(own_assignment_loss("own_losses:missed", "loss"))
    assert callable(own_neutrino_loss("own_losses:squares", "loss"))
    loss = own_classifier_loss("own_losses:brier", "loss", 3)
    said = loss(ops.eye(3), ops.full((3, 3), 1 / 3))
    assert float(said) == pytest.approx((2 / 3) ** 2 + 2 / 9)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("own_losses:of_all_events", r"returns \(\) for 3 events: it has to return one finite"),
        ("own_losses:endless", "returns numbers that are not finite"),
        ("own_losses:failing", "failed: RuntimeError: no idea"),
        ("own_losses:by_condition", "failed: OperatorNotAllowedInGraphError: Using a symbolic"),
        ("own_losses:bier", "has no 'bier': did you mean brier"),
        ("no_package:loss", "there is no module 'no_package'"),
    ],
)
def test_what_is_no_loss_is_told_in_one_line(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"^training.loss: .*{said}") as caught:
        own_classifier_loss(name, "training.loss", 2)
    assert "\n" not in str(caught.value)
