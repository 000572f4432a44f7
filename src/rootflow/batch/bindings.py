"""HTCondor's Python bindings, kept from what would end the process."""

import os
import sys
from pathlib import Path
from typing import Any

from rootflow.errors import UsageError

CONFIG = "CONDOR_CONFIG"


def htcondor() -> Any:
    """Return htcondor2; a UsageError where the file that CONDOR_CONFIG names is not there.

    On their first use of the network the bindings would end the process without a word.
    """
    named = os.environ.get(CONFIG, "")
    if named.startswith("/") and named != os.devnull and not Path(named).is_file():
        raise UsageError(f"{CONFIG}: {named} is not there; start a pool (rootflow pool up)")
    # TensorFlow shows a cryptography library to all that is loaded after it. With its functions
    # in the place of OpenSSL's the bindings cannot talk to any daemon ("SECMAN:2001"): they are
    # to find their symbols in their own libraries first.
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | os.RTLD_DEEPBIND)
    try:
        import htcondor2
    finally:
        sys.setdlopenflags(flags)
    return htcondor2


def use(config: Path) -> None:
    """Have this process, and those it starts, use the pool with this configuration."""
    os.environ[CONFIG] = str(config)
    htcondor().reload_config()
