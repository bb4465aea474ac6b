"""Detector, classifier and chain scored on the same labelled photos."""
