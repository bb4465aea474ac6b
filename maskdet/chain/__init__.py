"""Detector and classifier on the same faces: chained into one answer, or compared."""
