"""Whether the inputs of an exported model are computed as those of its training were."""

from typing import Literal

from rootflow.errors import InputError
from rootflow.exported.contract import OnnxContract
from rootflow.sources import code_digest

OtherCode = Literal["refuse", "warn"]


def check_code(contract: OnnxContract, where: str, allowed: OtherCode) -> str | None:
    """Return in words how the code differs that computes the inputs, None where it does not.

    Raises
    ------
    InputError
        It differs, and `allowed` says to refuse that.
    """
    here = code_digest(contract.analysis, "dataset")
    if contract.code == here:
        return None
    by = f"by code {contract.code}" if contract.code else "by code that it does not name"
    differs = (
        f"the inputs of its training were computed {by} (rootflow {contract.rootflow_version}), "
        f"here they are by code {here}"
    )
    if allowed == "refuse":
        raise InputError(
            f"{where}: {differs}: train and export again, go back to that code, or let it "
            "through with --other-code warn"
        )
    return differs
