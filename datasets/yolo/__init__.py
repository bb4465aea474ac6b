"""YOLO data sets read and written."""
