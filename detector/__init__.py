"""The single-stage mask detector: preprocessing, runtimes, postprocessing, training and evaluation."""
