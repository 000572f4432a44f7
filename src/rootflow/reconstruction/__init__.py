"""The Reconstructor contract and what keeps it."""
