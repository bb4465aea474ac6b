"""Runs over very many pictures: listed once, done in shards, resumed where they were, on one machine or on Ray."""
