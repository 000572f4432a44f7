#!/usr/bin/env bash
# pyhf 0.7.6: the Monte Carlo error of a bin without events is dropped without a word.
#
# A `staterror` gives each bin a free factor (gamma) constrained by the bin's relative error. For a
# bin whose nominal yield is 0 the factor is fixed to 1, whatever error the workspace states: a
# background of 0 +- 1.8 expected events is taken for exactly none. (A floor of the yield at the
# order of its error frees it.)
#
# Output seen:
#   bins of 5 +- 1, 0 +- 1.8 and 0.5 +- 1.8: the factors are free, fixed, free.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyhf==0.7.6 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import pyhf

signal = {"name": "signal", "data": [1.0, 1.0, 1.0]}
signal["modifiers"] = [{"name": "mu", "type": "normfactor", "data": None}]
background = {"name": "background", "data": [5.0, 0.0, 0.5]}
background["modifiers"] = [{"name": "mc", "type": "staterror", "data": [1.0, 1.8, 1.8]}]
channel = {"name": "bins", "samples": [signal, background]}
model = pyhf.Model({"channels": [channel]}, poi_name="mu")

fixed = dict(zip(model.config.par_names, model.config.suggested_fixed(), strict=True))
factors = [state for name, state in fixed.items() if name.startswith("mc")]
print("bins of 5 +- 1, 0 +- 1.8, 0.5 +- 1.8:", ["fixed" if state else "free" for state in factors])
assert factors == [False, True, False]
PYTHON
