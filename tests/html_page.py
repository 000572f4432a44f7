"""HTML pages as a test looks at them."""

from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """Texts, links, anchors, images, other sources and the cells of each table of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.sources: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        assert tag not in ("link", "iframe")
        self.anchors.add(found.get("id", ""))
        if "href" in found:
            self.links.append(found["href"])
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append(tag)
        if "src" in found:
            self.sources.append(found["src"])

    def handle_data(self, data: str) -> None:
        self.texts.append(" ".join(data.split()))
