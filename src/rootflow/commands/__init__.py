"""Commands beside the steps, each a click command that the command line adds."""
