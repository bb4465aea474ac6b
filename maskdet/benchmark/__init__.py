"""``maskdet benchmark``: how fast everything runs on this machine, beside ``yolo`` and beside the bare network."""
