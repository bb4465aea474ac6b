"""The sections of the benchmark, one a file, and their registry."""
