"""Registering models, and deciding which of them is the champion."""
