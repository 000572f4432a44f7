"""Canonical arrays on disk: folds, weights, manifest."""
