"""What jobs of these tests call on their nodes."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn


def add(first: int, second: int) -> dict[str, int]:
    return {"sum": first + second}


def stumble() -> NoReturn:
    raise ValueError("no jets left")


def count_up(goal: int) -> int:
    """Count in a file that is kept; ask to go on later after every step but the last."""
    count = Path("count.txt")
    reached = int(count.read_text()) + 1 if count.exists() else 1
    count.write_text(str(reached))
    if reached < goal:
        sys.exit(85)
    return reached


def train(epochs: int, seconds: float, checkpoint: float = 0.0) -> list[int]:
    """Work epoch by epoch; on SIGTERM keep what is done and end, as a training does.

    Writing the checkpoint takes `checkpoint` seconds. Returns, for each epoch, how many were
    done when the process that did it began.
    """
    state = Path("state.json")
    done = json.loads(state.read_text()) if state.exists() else []
    found = len(done)

    def stop(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
        time.sleep(checkpoint)
        state.write_text(json.dumps(done))
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    Path("pid.txt").write_text(str(os.getpid()))
    while len(done) < epochs:
        time.sleep(seconds)
        done.append(found)
    state.write_text(json.dumps(done))
    return done


def take_memory(mib: int, seconds: float) -> int:
    block = bytearray(os.urandom(1)) * (mib * 2**20)
    time.sleep(seconds)
    return len(block)


def tell_token() -> None:
    raise KeyError(f"the token is {os.environ['MY_TOKEN']}")
