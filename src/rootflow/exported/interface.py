"""What a program that calls an exported model must know of it, in one word."""

import hashlib
import json

from rootflow.exported.contract import OnnxContract

INTERFACE_KEY = "rootflow.interface"
ASKED = {"variant", "max_jets", "order", "padding", "inputs", "outputs"}
MEANING = {"__all__": {"meaning"}}


def interface_digest(contract: OnnxContract) -> str:
    """Return the SHA-256 of what goes in, what comes out, and how events are divided into folds.

    Models with the same one may stand in for each other, each for the events of its own
    fold: names, units, order and shapes agree, and so do the number of folds and their
    scheme. Where a model comes from, and which fold it has not seen, do not count.
    """
    asked = contract.model_dump(
        mode="json", include=ASKED, exclude={"inputs": MEANING, "outputs": MEANING}
    )
    folds = contract.model_dump(mode="json", include={"folds": {"count", "scheme"}})
    text = json.dumps(asked | folds, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
