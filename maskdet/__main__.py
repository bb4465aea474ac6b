"""``python -m maskdet``: the ``maskdet`` command."""

from __future__ import annotations

from maskdet.cli import main

if __name__ == "__main__":
    main()
