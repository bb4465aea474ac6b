"""Tracking: each face of a video keeps an id over its frames, and its frames cast one vote, so a person counts once."""
