"""Figures with their intervals, and the tests and curves that every report shares."""
