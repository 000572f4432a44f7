"""What an evaluation of classifiers found, as plain data: all figures and tables need no more.

Everything is weighted by the expected number of events, unless it says otherwise. None
stands for a number that does not exist.
"""

from rootflow.evaluation.classification.results.behaviour import (
    Calibration,
    ClassOverTraining,
    Divergence,
    HypothesisTest,
    OverTraining,
    RankingInTraining,
    Sculpting,
)
from rootflow.evaluation.classification.results.evaluation import (
    ClassificationEvaluation,
    ModelResult,
    read,
    save,
)
from rootflow.evaluation.classification.results.ranking import (
    Difference,
    Importance,
    Ranking,
    Rejection,
    Roc,
)
from rootflow.evaluation.classification.results.samples import (
    Counts,
    Process,
    Scored,
    Spectrum,
    Yield,
)
from rootflow.evaluation.classification.results.significance import (
    BestCut,
    CutScan,
    FitSignificance,
    ScoreFit,
)

__all__ = [
    "BestCut",
    "Calibration",
    "ClassOverTraining",
    "ClassificationEvaluation",
    "Counts",
    "CutScan",
    "Difference",
    "Divergence",
    "FitSignificance",
    "HypothesisTest",
    "Importance",
    "ModelResult",
    "OverTraining",
    "Process",
    "Ranking",
    "RankingInTraining",
    "Rejection",
    "Roc",
    "ScoreFit",
    "Scored",
    "Sculpting",
    "Spectrum",
    "Yield",
    "read",
    "save",
]
