"""The study's networks, their layers, backbones and counts of parameters."""
