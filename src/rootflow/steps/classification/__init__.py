"""The steps of the H -> ZZ* -> 4 leptons analysis that are its own."""
