"""Training one network on crops, and writing it as a file."""
