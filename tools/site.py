"""A hook of mkdocs: the README as the site's first page, and files that pages link to outside ``docs/`` beside them.

``mkdocs build --strict`` then fails at any link that leads nowhere.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#]+)((?:#[^)]*)?)\)")

#: Where the site keeps what lies outside ``docs/``.
OUTSIDE = "source"


def on_files(files: Files, config: Any) -> Files:
    """Add the README and all that it and the pages link to, and so on from the pages added."""
    files.append(File.generated(config, "index.md", content=(ROOT / "README.md").read_text(encoding="utf-8")))
    waiting = [file.src_uri for file in files.documentation_pages()]
    while waiting:
        for target in _targets(waiting.pop()):
            uri = _uri(target)
            if files.get_file_from_path(uri) is None and (ROOT / target).is_file():
                files.append(File.generated(config, uri, abs_src_path=str(ROOT / target)))
                if uri.endswith(".md"):
                    waiting.append(uri)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point a page's links to where the site keeps their targets."""
    here = posixpath.dirname(page.file.src_uri)
    folder = posixpath.dirname(_path(page.file.src_uri))

    def moved(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[1]))
        return f"]({posixpath.relpath(_uri(target), here or '.')}{link[2]})"

    return LINK.sub(moved, markdown)


def _path(uri: str) -> str:
    """Return a page's path from the repository's root.

    >>> _path("index.md"), _path("api.md"), _path("source/weights/maskdet-n.md")
    ('README.md', 'docs/api.md', 'weights/maskdet-n.md')
    """
    if uri == "index.md":
        return "README.md"
    return uri.removeprefix(f"{OUTSIDE}/") if uri.startswith(f"{OUTSIDE}/") else f"docs/{uri}"


def _uri(path: str) -> str:
    """Return where the site keeps a file of the repository, the reverse of ``_path``."""
    if path == "README.md":
        return "index.md"
    return path.removeprefix("docs/") if path.startswith("docs/") else f"{OUTSIDE}/{path}"


def _targets(uri: str) -> set[str]:
    """Return the repository's files that a page links to."""
    path = _path(uri)
    text = (ROOT / path).read_text(encoding="utf-8")
    return {posixpath.normpath(posixpath.join(posixpath.dirname(path), link)) for link, _ in LINK.findall(text)}
