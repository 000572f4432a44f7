"""Search for better settings: trials are asked of Optuna, run as jobs, and told."""
