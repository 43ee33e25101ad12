"""Formats that a newsroom defines itself: a template or a mapping over an article, in the settings or over the API.

- `feeds/format_definition` is a format as it is written; `compiled` makes an `ArticleFormat` or a `FeedFormat` of it.
- `templates`: Jinja2 without anything that could reach out; `filters` is all that its templates can call.
- `mappings`: a JMESPath expression for each member of a JSON object.
- `variables`: what templates and mappings are given.
- `schemas`: an XML Schema, RELAX NG or JSON Schema by which the quality gate judges the documents.
- `budget`: how much one rendering may do.

The ideas behind them:

- **A rendering is bounded by what it does, not by a clock.** Each turn of a loop, each call, each text that is made
  costs units, and a rendering that has used them up is refused. So a template that passes on one machine passes on all,
  nothing has to be killed, and no process has to be started: through the pipe of one that stands ready a rendering took
  three times as long. Where a text could be made large at once (padding, repeating,
  replacing), its length is known before it is made.
- **A list of what is allowed**, of nodes, filters, tests and things that may be called, not of what is forbidden.
  Values have no methods: a template sees tables, lists, texts and numbers.
- **A template is tried when it is read**, with sample articles of each change. A mistake is a message with the line in
  the template, and in most cases known before any article is.
- **A kill always leaves.** A notice whose template fails is sent in the form that notices have without a template.
- **The digest of a definition is part of each key** under which something made by it is kept.

This room must never do I/O or ask the time, as all of `feeds`: templates and schemas are texts that it is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS

if TYPE_CHECKING:
    from feeds.format_definition import FormatDefinition


def take_over(definitions: Iterable[FormatDefinition]) -> None:
    """Have the tables of all formats list these of the newsroom's, and no others. Raises FormatFault."""
    definitions = list(definitions)
    if definitions:
        # Few newsrooms need what it brings along, and no command waits for it.
        from feeds.formats.own.compiled import article_format, feed_format  # noqa: PLC0415
    ARTICLE_FORMATS.take_over([article_format(definition) for definition in definitions if definition.of == "article"])
    FEED_FORMATS.take_over([feed_format(definition) for definition in definitions if definition.of == "feed"])
