"""Any collections, sorted and cut, and no physics beside."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from rootflow.config.data import ReadingConfig
from rootflow.dataset.reading import Accepted, Reading
from rootflow.ntuple import Chunk


class Collections(Reading):
    """The leading objects of some collections, with masks, and MET where the map names it."""

    own: ClassVar[Mapping[str, Any]] = {"slots": dict[str, int]}
    met = True

    def __init__(self, slots: Mapping[str, int], config: ReadingConfig | None = None) -> None:
        self.slots = dict(slots)
        self.config = config or ReadingConfig()

    def accept(self, chunk: Chunk) -> Accepted:
        """Return the objects that count; all events pass."""
        objects, origin = self.accepted(chunk, {})
        return Accepted(objects, origin, {}, {"all events": np.ones(len(chunk), dtype=np.bool_)})
