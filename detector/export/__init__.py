"""Trained weights as ONNX: written, calibrated, quantised, and compared with what they came from."""
