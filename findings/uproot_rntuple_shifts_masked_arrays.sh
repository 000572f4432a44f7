#!/usr/bin/env bash
# uproot 5.7.7, awkward 2.14.0: an RNTuple of a masked array holds other events' numbers.
#
# The leading jet of each event, `ak.max(pt, axis=1)`, is optional: events without jets have none.
# Written by `file["events"] = {...}`, which makes an RNTuple, and read again by uproot, the events
# without a jet are where they were, but the numbers of the others are taken one after another from
# a buffer that has places for the missing ones, too. No error, no warning. The same numbers
# as an IndexedOptionArray, such as `ak.Array` of a list with None, are written as they are.
#
# Output seen:
#   written [2, None, 5, None, 7], read [2, None, -inf, None, 5]; indexed: read [2, None, 5, None, 7]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  uproot==5.7.7 awkward==2.14.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import awkward as ak
import uproot

pt = ak.Array([[1.0, 2.0], [], [5.0], [], [7.0, 3.0]])
leading = ak.max(pt, axis=1)
indexed = ak.Array(leading.to_list())
assert type(leading.layout).__name__ == "ByteMaskedArray", "ak.max gives another kind of array now"
with uproot.recreate("masked.root") as file:
    file["events"] = {"masked": leading, "indexed": indexed}
with uproot.open("masked.root") as file:
    assert file.classnames() == {"events;1": "ROOT::RNTuple"}
    read = file["events"].arrays()
words = [
    "[" + ", ".join("None" if each is None else f"{each:g}" for each in array.to_list()) + "]"
    for array in (leading, read["masked"], read["indexed"])
]
print(f"written {words[0]}, read {words[1]}; indexed: read {words[2]}")
assert words[2] == words[0], "optional numbers are no longer written as they are"
assert words[1] == "[2, None, -inf, None, 5]", "masked arrays are written otherwise now"
PYTHON
