"""A second node of the tests' pool, for jobs that ask for it; it can be broken.

Both nodes say that they have a GPU, and have none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAME = "second.localdomain"
# Jobs with these words may run on both nodes.
BOTH_NODES: dict[str, Any] = {"classads": {"RootflowBothNodes": True}}
ONLY_THERE: dict[str, Any] = {**BOTH_NODES, "requirements": f'Machine == "{NAME}"'}
EXECUTE = "execute-second"
BROKEN = "second-is-broken"
# Fails each job of a broken node before it begins, as a node without its file systems does.
WRAPPER = """\
#!/bin/sh
case "$_CONDOR_SCRATCH_DIR" in
  */{execute}/*) if [ -e {broken} ]; then echo "/cvmfs is not there" >&2; exit 3; fi ;;
esac
exec "$@"
"""
SETTINGS = """
DAEMON_LIST = $(DAEMON_LIST) STARTD_SECOND
STARTD_SECOND = $(STARTD)
STARTD_SECOND_ARGS = -f -local-name second
SECOND.NETWORK_HOSTNAME = {name}
SECOND.EXECUTE = $(LOCAL_DIR)/{execute}
SECOND.STARTD_LOG = $(LOG)/StartLog.second
SECOND.STARTD_ADDRESS_FILE = $(LOG)/.startd_address.second
MACHINE_RESOURCE_GPUs = CUDA0
SECOND.START = TARGET.RootflowBothNodes =?= True
USER_JOB_WRAPPER = $(LOCAL_DIR)/wrapper
"""


def settings(pool: Path) -> str:
    """Return what a pool's configuration says of the node, and make what it needs."""
    (pool / EXECUTE).mkdir()
    wrapper = pool / "wrapper"
    wrapper.write_text(WRAPPER.format(execute=EXECUTE, broken=pool / BROKEN))
    wrapper.chmod(0o755)
    return SETTINGS.format(name=NAME, execute=EXECUTE)


@contextmanager
def broken(pool: Path) -> Iterator[None]:
    """Have the node fail every job until the block ends."""
    (pool / BROKEN).touch()
    try:
        yield
    finally:
        (pool / BROKEN).unlink()
