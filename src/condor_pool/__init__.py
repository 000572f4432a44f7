"""A personal HTCondor pool on this machine: a tool beside rootflow, which `rootflow pool` calls."""

from condor_pool.pool import Pool, default_directory, down, status, up

__all__ = ["Pool", "default_directory", "down", "status", "up"]
