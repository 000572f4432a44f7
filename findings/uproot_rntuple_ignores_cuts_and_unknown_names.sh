#!/usr/bin/env bash
# uproot 5.7.7, awkward 2.14.0: reading an RNTuple takes `cut=` and unknown names without a word.
#
# On a TTree, `arrays("nothing")` raises KeyInFileError and `cut="pt > 30"` leaves the entries that
# pass. On an RNTuple, which uproot writes by default when an array is assigned to a key, neither
# does anything: the cut returns every entry, an unknown name returns records without fields, and no
# warning is given. A selection that worked on trees selects nothing on the same events as RNTuple.
#
# Output seen:
#   the TTree has 2 entries after the cut, the RNTuple 4 of 4; the unknown name is a KeyInFileError
#   of the TTree, and 4 records without a field of the RNTuple.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uproot==5.7.7 awkward==2.14.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import uproot

pt = np.array([10.0, 20.0, 40.0, 50.0])
with uproot.recreate("both.root") as file:
    file.mktree("tree", {"pt": pt.dtype})
    file["tree"].extend({"pt": pt})
    file["ntuple"] = {"pt": pt}

with uproot.open("both.root") as file:
    assert file.classnames()["tree;1"] == "TTree"
    assert "RNTuple" in file.classnames()["ntuple;1"]
    cut = {name: len(file[name].arrays(["pt"], cut="pt > 30")) for name in ("tree", "ntuple")}
    try:
        file["tree"].arrays(["nothing"])
        raise SystemExit("the TTree now takes an unknown name")
    except uproot.KeyInFileError as error:
        of_tree = type(error).__name__
    of_ntuple = file["ntuple"].arrays(["nothing"])

print(f"the TTree has {cut['tree']} entries after the cut, the RNTuple {cut['ntuple']} of {len(pt)};")
print(f"the unknown name: {of_tree} of the TTree, {len(of_ntuple)} records of {of_ntuple.fields} of the RNTuple")
assert cut == {"tree": 2, "ntuple": 4}
assert (len(of_ntuple), of_ntuple.fields) == (4, [])
PYTHON
