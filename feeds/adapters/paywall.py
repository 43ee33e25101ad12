"""What a page says of itself that is not free to read: the whole of it, or parts.

Sources: schema.org, `isAccessibleForFree`, `hasPart`, `cssSelector` (Google, "Subscription and paywalled content"), in
JSON-LD, microdata and RDFa; Open Graph, `article:content_tier`; what `members_only` knows of content systems and AMP.
"""

from __future__ import annotations

from collections.abc import Iterable

from lxml import html

from feeds.adapters.jsonld_node import Node, as_list
from feeds.adapters.members_only import located, marked, says_no
from feeds.adapters.page_meta import Meta, of_article, property_names

_TIERS_FOR_ALL = frozenset({"free", "metered"})


class Paywall:
    """What of a page is not free to read.

    whole: whether all of it. unclear: whether there is a part that can't be located on the page. elements: the parts
    that can.
    """

    def __init__(self, root: html.HtmlElement, meta: Meta, nodes: Iterable[Node], *, locked: bool) -> None:
        """Find out. nodes: those in the JSON-LD that are about this page. locked: what could not be read says no."""
        self.whole = locked or any(map(says_no, meta.all("isaccessibleforfree")))
        self.whole |= any(tier.casefold() not in _TIERS_FOR_ALL for tier in meta.all("article:content_tier"))
        selectors: list[object] = []
        for node in nodes:
            self.whole |= says_no(node.properties.get("isAccessibleForFree"))
            for part in node.nodes("hasPart"):
                if says_no(part.get("isAccessibleForFree")) and not Node(part, {}).addresses():
                    selectors += as_list(part.get("cssSelector"))
        for element in root.iterdescendants():
            if isinstance(element.tag, str) and "isaccessibleforfree" in property_names(element) and _denies(element):
                scope = next((each for each in element.iterancestors() if each.get("itemscope") is not None), None)
                if of_article(element):
                    self.whole = True
                elif scope is not None and "haspart" in property_names(scope):
                    selectors += _selectors(scope) or [None]
        parts = [located(root, selector) if isinstance(selector, str) else [] for selector in selectors]
        self.unclear = not all(parts)
        self.elements = list(dict.fromkeys([*marked(root), *(element for part in parts for element in part)]))
        # Without its headline or its body a page has no text of its own that could be taken.
        self.whole |= any(element.tag == "body" or element.find(".//h1") is not None for element in self.elements)

    def cut_out(self) -> None:
        """Take the elements out of the page."""
        for element in self.elements:
            element.drop_tree()


def _denies(element: html.HtmlElement) -> bool:
    """Whether an element of microdata or RDFa says no."""
    values = (element.get("content"), element.get("href"), element.get("resource"), str(element.text_content()))
    return says_no(next((value for value in values if value), ""))


def _selectors(scope: html.HtmlElement) -> list[object]:
    """The selectors of a part in microdata."""
    named = [each for each in scope.iterdescendants() if isinstance(each.tag, str)]
    return [
        each.get("content") or str(each.text_content()).strip()
        for each in named
        if "cssselector" in property_names(each)
    ]
