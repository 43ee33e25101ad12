"""A node object of a page's JSON-LD, and the properties that adapters read from it.

Sources: JSON-LD 1.1, "Node Objects", "Value Objects"; schema.org, NewsArticle and its kinds. Sites write one property
in many ways: as text, as a list, as an object, or as a reference by `@id` to an object elsewhere on the page.
"""

from __future__ import annotations

import re
from typing import Any

_ARTICLE_TYPE = re.compile(
    r"(?:https?://schema\.org/|schema:)?(?:\w*Article|LiveBlogPosting|BlogPosting|SocialMediaPosting|Report)"
)

_PAGE_TYPE = re.compile(r"(?:https?://schema\.org/|schema:)?(?:\w*Page|CreativeWork|WebContent)")


class Node:
    """A node object, and the nodes of its page by their `@id`, to which it may refer."""

    def __init__(self, properties: dict[str, Any], nodes_by_id: dict[str, dict[str, Any]]) -> None:
        self.properties = properties
        self.nodes_by_id = nodes_by_id

    def text(self, name: str) -> str:
        """Return the property as text; of several values or languages the first. Empty if it is not text."""
        value = next(iter(as_list(self.properties.get(name))), None)
        value = value.get("@value", value.get("name")) if isinstance(value, dict) else value
        return value if isinstance(value, str) else ""

    def nodes(self, *names: str) -> list[dict[str, Any]]:
        """Return the node objects in the first of these properties that has a value.

        References are followed; bare text is the `url` and `name` of a node.
        """
        value = next((self.properties[name] for name in names if self.properties.get(name)), None)
        nodes = []
        for member in as_list(value):
            if isinstance(member, str):
                nodes.append(self.nodes_by_id.get(member, {"url": member, "name": member}))
            elif isinstance(member, list):
                nodes.extend(inner for inner in member if isinstance(inner, dict))
            elif isinstance(member, dict):
                node_id = member.get("@id")
                is_reference = isinstance(node_id, str) and len(member) == 1
                nodes.append(self.nodes_by_id.get(str(node_id), member) if is_reference else member)
        return nodes

    def names(self, *names: str) -> list[Any]:
        """Return the names of the nodes in the first of these properties that has a value."""
        shown_names: list[Any] = []
        for node in self.nodes(*names):
            name = node.get("name")
            if not name:
                person = Node(node, {})
                name = " ".join(filter(None, (person.text("givenName"), person.text("familyName"))))
            for variant in as_list(name):
                value = variant.get("@value") if isinstance(variant, dict) else variant
                if isinstance(value, str) and value:
                    shown_names.append(value)
        return shown_names

    def languages(self) -> list[Any]:
        """Return the languages: text, or nodes whose `alternateName` is their tag (schema.org, Language)."""
        languages = []
        for language in as_list(self.properties.get("inLanguage")):
            if isinstance(language, dict):
                tag = language.get("alternateName") or language.get("@value") or language.get("name")
            else:
                tag = language
            languages.extend(as_list(tag))
        return languages

    def address(self) -> str:
        """Return the address of the page that the node is about; empty if it has none."""
        return next(iter(self.addresses()), "")

    def addresses(self) -> list[str]:
        """Return every address that the node gives for its page."""
        page = next(iter(self.nodes("mainEntityOfPage")), {})
        values = (*as_list(self.properties.get("url")), page.get("@id"), page.get("url"), self.properties.get("@id"))
        return [url for url in values if isinstance(url, str) and url.startswith(("http://", "https://"))]


def is_article(properties: dict[str, Any]) -> bool:
    """Whether a node object is an article by its `@type`."""
    return any(isinstance(kind, str) and _ARTICLE_TYPE.fullmatch(kind) for kind in as_list(properties.get("@type")))


def is_page(properties: dict[str, Any]) -> bool:
    """Return whether a node object is a page, or a work of no certain kind, by its `@type`."""
    return any(isinstance(kind, str) and _PAGE_TYPE.fullmatch(kind) for kind in as_list(properties.get("@type")))


def as_list(value: Any) -> list[Any]:
    """Return the values of a property: JSON-LD may leave the list away around a single one, or name it."""
    if isinstance(value, dict) and (named := value.keys() & {"@list", "@set"}):
        value = value[named.pop()]
    return value if isinstance(value, list) else [value]
