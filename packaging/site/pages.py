# SPDX-License-Identifier: MPL-2.0
"""What `make site` does beside mkdocs: pages from outside of `docs/`, and folders in the navigation.

README.md becomes the first page. A link to a page of the site leads there, one to any other file of the project to
where the project is. An entry of `nav` that is a folder (`endpoints/`) stands for all pages in it, and for none where
there is no such folder.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Pages at the top of the project, and what they are called in the site."""
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of folders into the navigation."""
    config.nav = _unfolded(config.nav or [], Path(config.docs_dir))
    return config


def _unfolded(entries: list[Any], docs: Path) -> list[Any]:
    found: list[Any] = []
    for entry in entries:
        ((title, target),) = entry.items()
        if isinstance(target, str) and target.endswith("/"):
            target = [page.relative_to(docs).as_posix() for page in sorted((docs / target).rglob("*.md"), key=_order)]
        elif isinstance(target, list):
            target = _unfolded(target, docs)
        if target:
            found.append({title: target})
    return found


def _order(page: Path) -> tuple[bool, str]:
    """A folder's index is its first page."""
    return page.name != "index.md", page.as_posix()


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside."""
    for name, page in OUTSIDE.items():
        text = (Path(config.docs_dir).parent / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make links of the project links of the site."""
    at = page.file.src_uri
    outside = {shown: name for name, shown in OUTSIDE.items()}
    source = outside.get(at, f"docs/{at}")

    def led(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        if target in OUTSIDE:
            shown = OUTSIDE[target]
        elif target.startswith("docs/") and target.endswith(".md"):
            shown = target.removeprefix("docs/")
        else:
            return f"{config.extra['project']}/blob/main/{target}"
        return posixpath.relpath(shown, posixpath.dirname(at) or ".")

    return LINK.sub(led, markdown)
