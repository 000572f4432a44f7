"""What a running job tells the side that submitted it, without a file that both see.

HTCondor's chirp takes attributes of the job from its node; the schedd has them with the next
update, which a site makes every few minutes, and shows them as long as the job is in the queue.
"""

from collections.abc import Mapping
from typing import Any

ATTRIBUTE = "ChirpRootflow"  # without this beginning only a job that asks for it may set one
PIECE = 2000  # characters of an attribute: chirp takes 5,120 in a line
PIECES = 32
ATTRIBUTES = tuple(f"{ATTRIBUTE}{number}" for number in range(PIECES))


class Teller:
    """Tells words, each as soon as it is known; `why_not` says what keeps it from that."""

    def __init__(self) -> None:
        self._pieces = [""]
        self.why_not = ""

    def tell(self, word: str) -> None:
        """Tell a word more; it has no spaces, quotes and backslashes."""
        if self.why_not:
            return
        if len(self._pieces[-1]) + len(word) > PIECE:
            self._pieces.append("")
        self._pieces[-1] += f"{word} "
        try:
            self._send(ATTRIBUTES[len(self._pieces) - 1], f'"{self._pieces[-1]}"')
        except IndexError:
            self.why_not = "it told all that fits into a job's attributes"
        except Exception as error:  # the library's own, and those of sockets and files
            self.why_not = f"HTCondor's chirp takes nothing: {error or type(error).__name__}"

    def _send(self, name: str, value: str) -> None:
        from htchirp import HTChirp  # on the node only

        with HTChirp() as chirp:
            chirp.set_job_attr_delayed(name, value)


def told_in(ad: Mapping[str, Any]) -> list[str]:
    """Return the words that a job's ad has of it."""
    return "".join(str(ad.get(name, "")) for name in ATTRIBUTES).split()
