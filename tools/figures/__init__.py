"""The figures of the README and the docs: each module makes the tables of one subject.

Every function takes a report, the JSON as one command wrote it, and returns Markdown; ``tools/update_readme.py`` says
which report goes into which page.
"""
