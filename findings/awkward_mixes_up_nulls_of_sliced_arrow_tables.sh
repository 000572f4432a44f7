#!/usr/bin/env bash
# awkward 2.14.0 with pyarrow 25.0.1: `ak.from_arrow` of a slice with missing values gives some numbers
# for missing, and zeros for what is missing, without an error.
#
# A slice of an Arrow table shares the memory of the whole and begins at an offset. The bits that say
# which values are there are taken as if the slice began at the first of them. Without missing values
# slices are right, and a copy of the slice (`pa.Table.from_pydict(part.to_pydict())`) is, too.
#
# Output seen:
#   of the slice [2.0, None, 4.0, 5.0] awkward makes [2.0, None, 4.0, None], and of its copy what it is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  awkward==2.14.0 pyarrow==25.0.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import awkward as ak
import pyarrow as pa

whole = pa.table({"pt": [1.0, None, 2.0, None, 4.0, 5.0]})
part = whole.slice(2)
expected = part["pt"].to_pylist()
of_slice = ak.from_arrow(part)["pt"].to_list()
of_copy = ak.from_arrow(pa.Table.from_pydict(part.to_pydict()))["pt"].to_list()
print("Arrow has", expected, "; awkward of the slice", of_slice, "; of a copy", of_copy)
sys.exit(of_copy != expected or of_slice == expected)
PYTHON
