"""Whether the inputs of an exported model are computed as those of its training were."""

from typing import Literal

from rootflow.errors import InputError
from rootflow.exported.contract import OnnxContract
from rootflow.sources import code_digest

OtherCode = Literal["refuse", "warn"]


def other_code(contract: OnnxContract) -> str | None:
    """Return in words how the code differs that computes the inputs, None where it does not."""
    here = code_digest(contract.analysis, "dataset")
    if contract.code == here:
        return None
    by = f"by code {contract.code}" if contract.code else "by code that it does not name"
    return (
        f"the inputs of its training were computed {by} (rootflow {contract.rootflow_version}), "
        f"here they are by code {here}"
    )


def check_code(contract: OnnxContract, where: str, allowed: OtherCode) -> str | None:
    """Return what `other_code` does, where that is allowed.

    Raises
    ------
    InputError
        The inputs are computed by other code, and `allowed` says to refuse that.
    """
    differs = other_code(contract)
    if differs is not None and allowed == "refuse":
        raise InputError(
            f"{where}: {differs}: train and export again, go back to that code, or let it "
            "through with --other-code warn"
        )
    return differs
