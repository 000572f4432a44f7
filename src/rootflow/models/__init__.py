"""Keras networks, written with keras.ops only."""

from rootflow.models.architectures import build_model, features_taken, joint_probability
from rootflow.models.classifier_inputs import (
    ClassifierInputs,
    ClassifierNormalisation,
    CollectionInputs,
    chosen_inputs,
    classifier_inputs,
    fit_classifier_normalisation,
    in_a_row,
    model_inputs,
)
from rootflow.models.classifiers import PROBABILITIES, SCORE, build_classifier
from rootflow.models.determinism import make_deterministic
from rootflow.models.losses import AssignmentAccuracy, MatchedAUC
from rootflow.models.networks import ANY_NUMBER_OF_JETS
from rootflow.models.neutrinos import KnownNeutrinos, known_neutrinos
from rootflow.models.normalisation import Normalisation, fit_normalisation
from rootflow.models.objective import PerEvent, Trimming, event_targets, with_losses
from rootflow.models.own import (
    OwnLosses,
    own_assignment_loss,
    own_classifier_loss,
    own_neutrino_loss,
)
from rootflow.models.saving import TRAIN_AGAIN, load_model, save_model
from rootflow.models.tree_columns import tree_answer, tree_columns

__all__ = [
    "ANY_NUMBER_OF_JETS",
    "PROBABILITIES",
    "SCORE",
    "TRAIN_AGAIN",
    "AssignmentAccuracy",
    "ClassifierInputs",
    "ClassifierNormalisation",
    "CollectionInputs",
    "KnownNeutrinos",
    "MatchedAUC",
    "Normalisation",
    "OwnLosses",
    "PerEvent",
    "Trimming",
    "build_classifier",
    "build_model",
    "chosen_inputs",
    "classifier_inputs",
    "event_targets",
    "features_taken",
    "fit_classifier_normalisation",
    "fit_normalisation",
    "in_a_row",
    "joint_probability",
    "known_neutrinos",
    "load_model",
    "make_deterministic",
    "model_inputs",
    "own_assignment_loss",
    "own_classifier_loss",
    "own_neutrino_loss",
    "save_model",
    "tree_answer",
    "tree_columns",
    "with_losses",
]
