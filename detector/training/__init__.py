"""Training a detector on a data set: the recipe, the trainer, what it does to pictures."""
