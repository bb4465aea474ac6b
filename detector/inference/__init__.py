"""From pixels to boxes: letterbox, network, postprocessing, and what looks at a picture twice."""
