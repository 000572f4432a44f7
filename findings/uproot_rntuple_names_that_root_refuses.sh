#!/usr/bin/env bash
# uproot 5.7.7 writes RNTuples whose field names have a dot, and ROOT 6.40 opens none of their fields.
#
# Names such as `Jet.pt` are usual for branches of a TTree (split objects have them), and uproot takes
# them for fields of an RNTuple without a word, and `arrays()` reads them back. ROOT's RNTuple refuses
# the whole ntuple, fields with other names as well. The same columns in a TTree are read by ROOT.
#
# Output seen:
#   uproot reads [1.0, 2.0] of the RNTuple; ROOT: "Field name 'Jet.pt' cannot contain character '.'";
#   ROOT reads 2 entries of the TTree.
# It takes 0.7 GB, since ROOT is among what it installs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  root==0.1a12 uproot==5.7.7 awkward==2.14.0 numpy==2.4.6
cd "$folder"
cat >write.py <<'PYTHON'
import numpy as np
import uproot

columns = {"Jet.pt": np.array([1.0, 2.0]), "number": np.array([7, 8])}
with uproot.recreate("events.root") as file:
    file.mkrntuple("ntuple", columns)
    file.mktree("tree", {name: values.dtype for name, values in columns.items()}).extend(columns)
with uproot.open("events.root") as file:
    print("uproot reads", file["ntuple"].arrays()["Jet.pt"].to_list(), "of the RNTuple")
PYTHON
cat >read.py <<'PYTHON'
import warnings

warnings.simplefilter("ignore")
import ROOT

try:
    print("ROOT reads", ROOT.RDataFrame("ntuple", "events.root").Count().GetValue(), "entries of the RNTuple")
except Exception as error:
    print("ROOT:", " ".join(str(error).split()))
print("ROOT reads", ROOT.RDataFrame("tree", "events.root").Count().GetValue(), "entries of the TTree")
PYTHON
seen=$(venv/bin/python write.py; venv/bin/python read.py 2>&1)
echo "$seen"
grep -qF "uproot reads [1.0, 2.0] of the RNTuple" <<<"$seen"
grep -qF "Field name 'Jet.pt' cannot contain character '.'" <<<"$seen"
grep -qF "ROOT reads 2 entries of the TTree" <<<"$seen"
