"""Leaves out the parts of a text that are for some readers only, as content systems mark them.

Sources: Ghost, content visibility (`kg-gated-block`); the membership plugins of WordPress: their blocks, as
stored and as rendered, and their shortcodes, which stay in a text that was not rendered; AMP, amp-subscriptions
(`subscriptions-section`) and amp-access; schema.org, `isAccessibleForFree`, `hasPart` and `cssSelector` (Google,
"Subscription and paywalled content").
"""

from __future__ import annotations

import re
from typing import Any

from lxml import html

from feeds.text import legal

_GHOST = re.compile(
    r"<!--\s*kg-gated-block:begin\b(.*?)-->(.*?)(?:<!--\s*kg-gated-block:end\s*-->|\Z)", re.DOTALL | re.IGNORECASE
)
_FOR_ALL = re.compile(r"\bnonMember\s*:\s*true\b", re.IGNORECASE)
_BLOCKS = (
    "jetpack/subscriber-view premium-content/subscriber-view premium-content/container pmpro/membership"
    " memberpress/protected-content restrict-content-pro/restrict woocommerce-memberships/member-content"
    " ultimate-member/um-block mepr/protected-content simple-membership/protected"
)
_BLOCK = re.compile(
    rf"<!--\s*wp:({'|'.join(map(re.escape, _BLOCKS.split()))})\b(?:(?!-->).)*?(?<!/)-->.*?(?:<!--\s*/wp:\1\s*-->|\Z)",
    re.DOTALL,
)
# The rest of a post in Jetpack's newsletter after this block is for subscribers.
_PAYWALL = re.compile(r"<!--\s*wp:jetpack/paywall\b.*\Z", re.DOTALL)
_SHORTCODES = (
    "membership members_only member members memberonly restrict restricted paid private subscribers subscriber"
    " pmpro_member mepr-active mepr-show wlm_private wcm_restrict wcm_content_restricted s2If um_loggedin loggedin"
    " um_show_content ihc-hide-content is_logged_in user_is_logged_in logged_in_only emember_protected swpm_protected"
    " premium premium_content paywall leaky_paywall memberful_if login_required ms-protect-content"
    " arm_restrict_content"
)
_SHORTCODE = re.compile(
    rf"\[({'|'.join(map(re.escape, _SHORTCODES.split()))})(?:\s[^\]]*)?\].*?(?:\[/\1\]|\Z)", re.DOTALL | re.IGNORECASE
)
_MEMBERS = (
    "wp-block-premium-content-subscriber-view wp-block-jetpack-subscriber-view rcp-restricted-content"
    " pmpro_content_members mepr-protected-content members-only-content member-only-content paid-content"
    " subscribers-only subscriber-only members-only paywall-content"
)
_CLASSES = frozenset(_MEMBERS.split())
_MARK = re.compile("|".join((*sorted(_CLASSES), "subscriptions-section", "amp-access")))
# The simple selectors that we can look up: elements, classes, ids, and lists of them.
_SELECTOR = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)?((?:[.#][\w-]+)*)")
_NO = re.compile(r"(?:https?://schema\.org/|schema:)?(?:false|no|0|n|f|off)", re.IGNORECASE)


def for_all(markup: str) -> tuple[str, int]:
    """Return the HTML without the parts for some readers only, and the number of these parts."""
    parts = 0

    def gated(block: re.Match[str]) -> str:
        nonlocal parts
        if _FOR_ALL.search(block[1]):
            return block[2]
        parts += 1
        return ""

    markup = _GHOST.sub(gated, markup)
    for pattern in (_BLOCK, _PAYWALL, _SHORTCODE):
        markup, count = pattern.subn("", markup)
        parts += count
    if _MARK.search(markup):
        root = html.fragment_fromstring(legal(markup), create_parent="div")
        for element in marked(root):
            element.drop_tree()
            parts += 1
        markup = html.tostring(root, encoding="unicode").removeprefix("<div>").removesuffix("</div>")
    return markup, parts


def marked(root: html.HtmlElement) -> list[html.HtmlElement]:
    """Return the elements below `root` that are marked for some readers only, by their class or for AMP."""
    elements = [element for element in root.iterdescendants() if isinstance(element.tag, str)]
    return [
        element
        for element in elements
        if _CLASSES & set((element.get("class") or "").split())
        or element.get("subscriptions-section") == "content"
        or element.get("amp-access")
    ]


def says_no(value: Any) -> bool:
    """Whether `isAccessibleForFree` says no, in any of the spellings that pages use."""
    if isinstance(value, list):
        return any(map(says_no, value))
    if isinstance(value, dict):
        return says_no(value.get("@value", value.get("@id", value.get("name"))))
    if isinstance(value, str):
        return bool(_NO.fullmatch(value.strip()))
    return value is False or (isinstance(value, int) and value == 0)


def located(root: html.HtmlElement, selector: str) -> list[html.HtmlElement]:
    """Return the elements of a page that a CSS selector names: none if it is too complex to look up."""
    elements = []
    for part in selector.split(","):
        simple = _SELECTOR.fullmatch(part.strip())
        if not simple or not part.strip():
            return []
        names = re.findall(r"([.#])([\w-]+)", simple[2])
        classes = {name for sign, name in names if sign == "."}
        ids = {name for sign, name in names if sign == "#"}
        for element in root.iter(simple[1].lower() if simple[1] else None):
            if not isinstance(element.tag, str):
                continue
            if classes <= set((element.get("class") or "").split()) and ids <= {element.get("id")}:
                elements.append(element)
    return elements
