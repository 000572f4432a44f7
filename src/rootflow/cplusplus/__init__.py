"""C++ that applies exported networks, written from their contract."""

from rootflow.cplusplus.write import write_cplusplus

__all__ = ["write_cplusplus"]
