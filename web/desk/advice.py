"""What to do about a receiver that has not confirmed a kill: a sentence for the person, and what can be pressed."""

from __future__ import annotations

from typing import Any, NamedTuple

from worker.takedown.coverage_report import SUBSCRIPTIONS


class Advice(NamedTuple):
    """`text`: a phrase; `values` go into it. `order`: resume, retry or replay the endpoint; "": nothing to press."""

    text: str
    values: dict[str, Any]
    order: str = ""


def advice(row: dict[str, Any]) -> Advice:
    """Return what to do about a row of the coverage report."""
    name, page = row["receiver"], row["page"]
    has_taken = row["status"] == "killed"
    if name == SUBSCRIPTIONS:
        text, order = "Subscribers are sent it again until they take it, or their leases end. Nothing to do.", ""
    elif page and page["verdict"] == "there":
        text = "The text is still to be read at {url}. Call the partner. The page is looked at again by itself."
        order = "" if has_taken else "retry"
    elif page and has_taken:
        text = "{name} has taken the kill; that its page is gone is not proven yet. It is looked at again by itself."
        order = ""
    elif row["standing"] in _BY_STANDING:
        text, order = _BY_STANDING[row["standing"]]
    elif row["why"]:
        text = "{name} does not answer as it should. It is tried again by itself; try it now, or call the partner."
        order = "retry"
    else:
        text, order = "It is on its way to {name}.", ""
    return Advice(text, {"name": name, "url": page["url"] if page else ""}, order)


_BY_STANDING = {
    "paused": ("{name} is paused and has not heard of the kill. Resume it now.", "resume"),
    "parked": ("{name} does not take it. Call the partner, then send it again.", "replay"),
    "refused": ("{name} refuses the kill. Call the partner; it is tried again by itself.", "retry"),
    "removed": ("{name} is no longer an endpoint here and can't be told. Call the partner.", ""),
}
