"""Pascal VOC read."""
