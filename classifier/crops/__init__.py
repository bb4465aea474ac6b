"""Cutting faces from photos, and the sets of crops that come of it."""
