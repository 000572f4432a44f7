"""Keras networks, written with keras.ops only."""

from rootflow.models.architectures import build_model
from rootflow.models.losses import AssignmentAccuracy, AssignmentLoss, NeutrinoLoss
from rootflow.models.normalisation import Normalisation, fit_normalisation
from rootflow.models.saving import load_model

__all__ = [
    "AssignmentAccuracy",
    "AssignmentLoss",
    "NeutrinoLoss",
    "Normalisation",
    "build_model",
    "fit_normalisation",
    "load_model",
]
