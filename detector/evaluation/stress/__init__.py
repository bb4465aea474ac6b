"""How small a face may be: the detector on frames made larger around the photo."""
