"""`python -m rootflow.following PLACE`: the process that follows, started by who submits."""

import sys
from pathlib import Path

from rootflow.following.follower import main

main(Path(sys.argv[1]))
