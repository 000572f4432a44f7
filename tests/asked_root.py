"""Writes and reads files with ROOT: a program of its own that imports no more.

    asked_root.py FUNCTION ARGUMENT...

The functions work in the folder that the program is started in.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import ROOT

ROOT.gROOT.SetBatch(True)
# Where a friend or a branch is not there on purpose, ROOT says so.
ROOT.gErrorIgnoreLevel = ROOT.kFatal


def _declare() -> None:
    code = Path(__file__).with_suffix(".h").read_text()
    assert ROOT.gInterpreter.Declare(code)


def _plain(value: Any) -> Any:
    if hasattr(value, "__len__"):
        return [_plain(each) for each in value]
    return value.item() if hasattr(value, "item") else value


def read(path: str, tree: str) -> None:
    """Print the branches of a tree, and of its friends."""
    frame = ROOT.RDataFrame(tree, path)
    names = [str(name) for name in frame.GetColumnNames()]
    values = frame.AsNumpy(names)
    lists = {name: [_plain(value) for value in values[name]] for name in names}
    sys.stdout.write(json.dumps(lists))


def again(path: str, tree: str) -> None:
    """Write a tree again: as a TTree in a folder, as an RNTuple, and in two halves as friends."""
    frame = ROOT.RDataFrame(tree, path)
    frame.Snapshot("dir/reco", "in-folder.root")
    options = ROOT.RDF.RSnapshotOptions()
    options.fOutputFormat = ROOT.RDF.ESnapshotOutputFormat.kRNTuple
    frame.Snapshot("reco", "rntuple.root", "", options)
    frame.Snapshot("dir/reco", "rntuple-in-folder.root", "", options)
    names = sorted(str(name) for name in frame.GetColumnNames())
    half = len(names) // 2
    frame.Snapshot("reco", "half.root", names[:half])
    frame.Snapshot("rest", "rest.root", names[half:])
    with ROOT.TFile.Open("half.root", "UPDATE") as file:
        half_tree = file.Get("reco")
        half_tree.AddFriend("rest", "rest.root")
        half_tree.Write("", ROOT.TObject.kOverwrite)


def kinds() -> None:
    """Write TTrees and RNTuples with what ROOT can put in them."""
    _declare()
    for function in ("split", "leaves", "cycles", "ntuple", "friends", "fields"):
        getattr(ROOT, function)()


def befriend(path: str, tree: str, friend: str, its_path: str) -> None:
    """Have a tree know a friend."""
    with ROOT.TFile.Open(path, "UPDATE") as file:
        found = file.Get(tree)
        found.AddFriend(friend, its_path)
        found.Write("", ROOT.TObject.kOverwrite)


def drawn(tree: str, variable: str, weight: str, *paths: str) -> None:
    """Print the contents of a histogram that is filled from files as TRExFitter does it."""
    chain = ROOT.TChain()
    for path in paths:
        assert chain.Add(f"{path}/{tree}")
    histogram = ROOT.TH1D("h", "h", 20, 0, 1)
    chain.Draw(f"{variable}>>h", weight, "goff")
    sys.stdout.write(json.dumps([histogram.GetBinContent(place) for place in range(22)]))


def killed(saved: str) -> None:
    """Write a tree, of which the events up to `saved` are saved, and end without closing."""
    _declare()
    ROOT.killed(int(saved))


def without_branches(path: str, tree: str) -> None:
    """Write a tree without branches and entries."""
    with ROOT.TFile(path, "RECREATE"):
        ROOT.TTree(tree, "").Write()


def hadd(target: str, source: str) -> None:
    """Do what the command of this name does."""
    merger = ROOT.TFileMerger(False)
    assert merger.OutputFile(target)
    assert merger.AddFile(source)
    assert merger.Merge()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    sys.stdout.flush()
    os._exit(0)  # ROOT's own way out takes down what it declared, in an order that may crash
