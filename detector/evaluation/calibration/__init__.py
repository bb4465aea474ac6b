"""Confidence that means probability: fitted, measured, plotted."""
