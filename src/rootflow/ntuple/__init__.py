"""Reading ntuples: branch maps, units, selection."""
