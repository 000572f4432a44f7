"""Pythia 8, FastJet and a parametrised detector."""
