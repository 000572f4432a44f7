"""The name of a question: a digest of everything that decides the answer."""

import hashlib
import json
from typing import Any


def digest_of(question: Any) -> str:
    """Return 16 hexadecimal digits that name `question`, plain data as JSON holds it."""
    text = json.dumps(question, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
