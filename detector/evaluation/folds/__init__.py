"""Every photo scored by a detector that has not seen it."""
