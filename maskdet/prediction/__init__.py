"""From a source to its results: the pipeline, and what answers a batch."""
