"""Commands beside the steps."""
