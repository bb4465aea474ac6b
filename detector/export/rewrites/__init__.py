"""Rewriting a detector's graph for speed, its answers unchanged."""
