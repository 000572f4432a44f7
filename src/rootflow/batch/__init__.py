"""Jobs: a pool, executors, and what becomes of them."""
