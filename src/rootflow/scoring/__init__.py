"""The Scorer contract and what keeps it."""

from rootflow.scoring.contract import Scorer, Scores, TrainedScorer
from rootflow.scoring.folded import FoldedScorer
from rootflow.scoring.load import of_training

__all__ = ["FoldedScorer", "Scorer", "Scores", "TrainedScorer", "of_training"]
