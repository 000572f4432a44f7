"""The steps of the ttbar analysis that are its own."""
