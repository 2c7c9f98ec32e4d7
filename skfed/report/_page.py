"""A report's parts put together: head, contents and sections."""

from dataclasses import dataclass

from ._html import Html, join, paragraph, tag
from ._style import stylesheet


@dataclass
class Section:
    """A titled part of a report; ``key`` is its anchor."""

    key: str
    title: str
    content: Html


def fragment(title, lead, facts, sections, prefix):
    """Return a report as one element, which can stand in any page.

    Parameters
    ----------
    title, lead : str
        What it is, and what of.
    facts : list of (str, str)
        Name and value.
    sections : list of Section
        In their order.
    prefix : str
        Of all ids, so that two reports can stand in one page.
    """
    links = [
        tag("li", tag("a", section.title, href=f"#{prefix}-{section.key}"))
        for section in sections
    ]
    boxes = [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts]
    return tag(
        "div",
        tag("style", Html(stylesheet())),
        tag(
            "header",
            tag("h1", title),
            paragraph(lead, class_="quiet"),
            tag("dl", *boxes, class_="facts"),
        ),
        tag("nav", tag("ul", *links), aria_label="Sections of the report"),
        join(_section(section, prefix) for section in sections),
        class_="skfed-report",
    )


def _section(section, prefix):
    heading = f"{prefix}-{section.key}"
    return tag(
        "section",
        tag("h2", section.title, id=heading, tabindex=-1),
        section.content,
        aria_labelledby=heading,
    )


def document(title, body):
    """Return a whole page around a report; it asks for nothing from anywhere."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width,initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html("body{margin:0;background:Canvas}")),
    )
    return "<!DOCTYPE html>\n" + tag(
        "html", head, tag("body", tag("main", body)), lang="en"
    )
