"""Files as disks and networks damage them."""

from collections.abc import Iterator

import numpy as np


def flipped(content: bytes, times: int, seed: int = 1) -> Iterator[bytes]:
    """Yield the content with another bit wrong each time, and cut short at last."""
    choose = np.random.default_rng(seed)
    for _ in range(times):
        place = int(choose.integers(len(content)))
        wrong = content[place] ^ (1 << int(choose.integers(8)))
        yield content[:place] + bytes([wrong]) + content[place + 1 :]
    for length in (0, 1, len(content) // 2, len(content) - 1):
        yield content[:length]
