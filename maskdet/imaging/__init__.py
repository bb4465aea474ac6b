"""Pictures as pixels: read, written, laid side by side, drawn as figures."""
