"""Training and comparing the study's networks."""
