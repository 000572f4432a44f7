"""`python -m rootflow` is `rootflow`."""

from rootflow.cli import main

main()
