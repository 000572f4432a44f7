"""HTCondor's Python bindings, kept from what would end the process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rootflow.errors import RootflowError, UsageError

CONFIG = "CONDOR_CONFIG"


def htcondor() -> Any:
    """Return htcondor2, configured as CONDOR_CONFIG says.

    Raises
    ------
    UsageError
        CONDOR_CONFIG names a file that is not there: on their first use of the network the
        bindings would end the process without a word.
    """
    named = os.environ.get(CONFIG, "")
    if named.startswith("/") and named != os.devnull and not Path(named).is_file():
        raise UsageError(f"{CONFIG}: {named} is not there; start a pool (rootflow pool up)")
    with _own_libraries_first():
        import htcondor2

    return htcondor2


def use(config: Path) -> None:
    """Have this process, and those it starts, use the pool with this configuration."""
    os.environ[CONFIG] = str(config)
    htcondor().reload_config()


@contextmanager
def _own_libraries_first() -> Iterator[None]:
    """Have what is imported find its symbols in its own libraries before those of others.

    TensorFlow shows a cryptography library to all that is loaded after it. With its functions
    in the place of OpenSSL's the bindings cannot talk to any daemon ("SECMAN:2001").
    """
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | os.RTLD_DEEPBIND)
    try:
        yield
    finally:
        sys.setdlopenflags(flags)


@contextmanager
def pool_must_answer() -> Iterator[None]:
    """Turn what the pool does not do into one line for the user.

    Raises
    ------
    RootflowError
        The schedd does not answer, or refuses.
    """
    module = htcondor()
    try:
        yield
    except module.HTCondorException as error:
        reason = " ".join(str(error).split())
        raise RootflowError(
            f"HTCondor: {reason}; is a schedd running, and does {CONFIG} "
            f"({os.environ.get(CONFIG, 'not set')}) name its configuration?"
        ) from None
