"""What each figure shows, by the beginning of its file's name."""

_MATCHED = "Events with both b jets matched; bars are bootstrap errors."
CAPTIONS = {
    "history": ("Training", "Loss and accuracy of each epoch."),
    "accuracy": (
        "Accuracy of the assignment",
        f"How often each method gives the right jets to b and bbar. {_MATCHED}",
    ),
    "accuracy_by_jets": (
        "Accuracy by jet multiplicity",
        f"Share of events with both b jets right. {_MATCHED} "
        "Horizontal lines are bins, points in them are set apart to be seen.",
    ),
    "accuracy_by_top_pt": (
        "Accuracy against the pT of the top quark",
        f"Share of events with both b jets right. {_MATCHED}",
    ),
    "accuracy_by_mtt": (
        "Accuracy against m(tt̄)",
        f"Share of events with both b jets right. {_MATCHED}",
    ),
    "scores": (
        "Score of the model",
        "Left: distribution of the model's probability for its own assignment, bands are "
        "statistical errors. Right: how often assignments of that score are right; a calibrated "
        "probability lies on the diagonal.",
    ),
    "neutrino_residuals": (
        "Residuals of the neutrinos",
        "Reconstructed less true momentum of solved events; bands are statistical errors.",
    ),
    "neutrino_resolution": (
        "Bias and resolution of the neutrinos",
        "Median of the residuals and half the width of their central 68.27 %, by component.",
    ),
    "mtt_residuals": (
        "Residuals of m(tt̄)",
        "Solved events with both b jets matched. The line of truth shows what jets and "
        "leptons alone leave. m(tt̄) does not depend on which lepton goes with which of the "
        "two jets: methods that choose the same two jets with the same neutrinos coincide.",
    ),
    "mtt_by_mtt": (
        "Bias and resolution of m(tt̄) against its true value",
        "Solved events with both b jets matched; bars are bootstrap errors.",
    ),
    "mtt_migration": (
        "Migration of m(tt̄)",
        "Where events of each bin of the truth are reconstructed, in percent of that bin; the "
        "lowest and the highest row are all that is reconstructed below and above the bins.",
    ),
}
