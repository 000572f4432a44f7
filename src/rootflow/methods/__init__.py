"""Whatever answers events: networks, trees, exported files, formulas and the truth."""
