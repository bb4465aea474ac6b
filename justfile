# What a developer types. `just` lists them; each line works without just too.

_default:
    @just --list

# Install for work, torch and ultralytics included
install:
    pip install -e ".[dev]"

# Lint, format and types
check:
    ruff check . && ruff format --check . && python tools/link_typecheck.py && mypy

# The tests, or some of them: just test tests/cli
test *ARGS:
    python -m pytest {{ARGS}}

# Figures, command pages and tour written anew
docs:
    python tools/update_readme.py && python tools/write_cli_docs.py && python tools/write_tour.py && mkdocs build --strict

# All that a change must pass, in a clean clone's way
ci:
    bash .ci/run
