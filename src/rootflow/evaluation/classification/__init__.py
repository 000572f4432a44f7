"""Classifiers compared on the same events: how well they tell signal from background."""
