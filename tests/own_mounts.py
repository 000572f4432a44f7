"""Mounts of a test's own, which need no root where the system lets users have namespaces."""

import subprocess

import pytest

OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount", "bash", "-ec")
needs_mounts = pytest.mark.skipif(
    subprocess.run([*OWN_MOUNTS, "mount -t tmpfs tmpfs /mnt"], check=False).returncode != 0,
    reason="this system lets users mount nothing",
)
