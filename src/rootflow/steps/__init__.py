"""One module per entry point."""
