"""C++ that applies exported networks, written from their contract."""
