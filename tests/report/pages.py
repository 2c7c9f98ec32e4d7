"""What a browser, and a reader of its source, would find in a page."""

from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "rect", "line", "path", "circle"}


class Page(HTMLParser):
    """Elements of a page with their attributes, its text, and whether tags nest."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.text = []
        self.open = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        """Attributes of the elements of a kind."""
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())

    @property
    def ids(self):
        return Counter(a["id"] for _, a in self.elements if "id" in a)


def check_page(html):
    """Assert what holds of every report, and return its page."""
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object"} & {
        t for t, _ in page.elements
    }
    for _, attrs in page.elements:
        assert not {"src", "srcset", "style", "action"} & set(attrs)
        assert not [name for name in attrs if name.startswith("on")]
        assert attrs.get("href", "#").startswith("#")
    assert "url(" not in html and "@import" not in html
    assert max(page.ids.values()) == 1
    linked = {attrs["href"][1:] for attrs in page.all("a")}
    labels = {a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a}
    assert linked and linked | labels <= set(page.ids)
    assert all(attrs.get("scope") in ("col", "row") for attrs in page.all("th"))
    tables = len(page.all("table"))
    assert len(page.all("caption")) == len(page.all("thead")) == tables > 0
    for svg in page.all("svg"):
        assert svg["role"] == "img" and len(svg["aria-label"]) > 20
    assert len(page.all("summary")) == len(page.all("details"))
    scrolled = [a for a in page.all("div") if a.get("class") in ("scroll", "plot")]
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in scrolled)
    assert len(html.encode()) < 2e6
    return page
