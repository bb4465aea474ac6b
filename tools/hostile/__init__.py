"""Hostile inputs for every reader: made from small valid files, run in watched processes, and counted.

Used by ``tests/test_corpus.py`` (some 1,500) and by ``benchmarks/hostile.py`` (10,000).
"""
