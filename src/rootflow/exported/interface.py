"""What a program that calls an exported model must know of it, in one word."""

import hashlib
import json
from typing import Any

from rootflow.exported.contract import OnnxContract

INTERFACE_KEY = "rootflow.interface"
ASKED = {"variant", "order", "padding", "collections", "inputs", "outputs", "folds"}
# What differs from training to training, and what is only words.
BESIDE: Any = {"__all__": {"meaning": True, "features": {"__all__": {"range"}}}}


def interface_digest(contract: OnnxContract) -> str:
    """Return the SHA-256 of what goes in, what comes out, and how events are divided into folds.

    Models with the same one may stand in for each other, each for the events of its own
    fold: names, units, order and shapes agree, and so do the number of folds and their
    scheme. Where a model comes from, and which fold it has not seen, do not count.
    """
    asked = contract.model_dump(
        mode="json", include=ASKED, exclude={"inputs": BESIDE, "outputs": BESIDE}
    )
    text = json.dumps(asked, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
