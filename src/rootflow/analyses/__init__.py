"""The analyses that come with rootflow, one in each module."""
