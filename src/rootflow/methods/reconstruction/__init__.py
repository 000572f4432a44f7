"""Methods that reconstruct events without training."""
