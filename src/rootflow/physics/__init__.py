"""Kinematics and observables: pure functions on arrays."""
