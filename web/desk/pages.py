"""Makes the pages of the desk of their templates: what all of them have, and how times, numbers and words are shown."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, pass_context
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from feeds.direction import direction
from web.api.names import escaped_path
from web.desk.parts import PREFIX, is_fragment, place_before
from web.desk.phrases import LANGUAGES, counted_phrase, language_of, phrase
from web.desk.reasons import reason
from web.template_texts import templates_in
from worker import clock
from worker.management.scopes import ROLE_SCOPES, SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2.runtime import Context
    from starlette.requests import Request

    from config.settings import Settings
    from web.desk.static_files import StaticFiles

_NAVIGATION = (
    ("now", "Now", "live:read"),
    ("alarms", "Alarms", "alarms:read"),
    ("articles", "Articles", "articles:read"),
    ("lists", "Lists", "lists:read"),
    ("endpoints", "Endpoints", "endpoints:read"),
    ("partners", "Partners", "partners:read"),
    ("feeds", "Feeds", "feeds:read"),
    ("subscriptions", "Subscriptions", "subscriptions:read"),
    ("audit", "Audit", "audit:read"),
    ("people", "People", "people:read"),
    ("keys", "Keys", "keys:read"),
)
_UNITS = (
    (120, 1, "{count} s"),
    (7_200, 60, "{count} min"),
    (172_800, 3_600, "{count} h"),
    (float("inf"), 86_400, "{count} d"),
)
"""Below how many seconds a length of time is shown in which unit, of how many seconds it is."""
_TIME = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)")
"""A time of the API within a sentence."""
TEMPLATES = Path(__file__).with_name("templates")


class DeskPages:
    """Renders pages of the templates in `folders`, of two of one name the first. `prefix`: where the pages are.

    Everything that comes from outside is escaped: no template says `safe`.
    """

    def __init__(
        self,
        settings: Settings,
        files: StaticFiles,
        base_url: str,
        prefix: str = PREFIX,
        folders: Sequence[Path] = (TEMPLATES,),
    ) -> None:
        self._files = files
        self._zone = ZoneInfo(settings.site.timezone) if settings.site.timezone else UTC
        self._environment = Environment(
            loader=templates_in(*folders),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._environment.globals.update(
            static=files.address,
            logo=files.logo,
            title=settings.desk.title or settings.site.title,
            site=base_url,
            zone=settings.site.timezone or "UTC",
            desk=prefix,
            direction=direction,
            languages=LANGUAGES,
            t=_translated,
            n=_counted,
        )
        self._environment.filters.update(
            moment=self._moment,
            clock=self._clock,
            lately=self._lately,
            since=_since,
            span=_in_words,
            reason=self._reason,
            problem=self._problem,
            epoch=_epoch,
            pretty=_pretty,
            name=lambda text: quote(text, safe=""),
        )

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """Return a page, or the part of one that is asked for."""
        visitor = getattr(request.state, "visitor", None)
        language = language_of(request)
        content = self._environment.get_template(template).render(
            request=request,
            path=escaped_path(request.scope),
            visitor=visitor,
            scopes=visitor.caller.scopes if visitor else frozenset(),
            navigation=[entry for entry in _NAVIGATION if visitor and entry[2] in visitor.caller.scopes],
            language=language,
            fragment=is_fragment(request),
            now_ms=clock.ms(clock.agreed()),
            **values,
        )
        return HTMLResponse(content, status, headers={"Vary": "HX-Request", **(headers or {})})

    def problem(
        self, request: Request, status: int, detail: str, errors: Mapping[str, str] | None = None, *, lacks: str = ""
    ) -> Response:
        """Return a page that says what went wrong, and what to do. `lacks`: the scope that it takes."""
        before = place_before(request)
        return self.page(
            request,
            "problem.html",
            status=status,
            code=status,
            detail=detail,
            errors=errors or {},
            lacks=SCOPES.get(lacks, ""),
            allowed=[role for role, scopes in ROLE_SCOPES.items() if lacks in scopes],
            before=before if before != escaped_path(request.scope) else "",
        )

    def at_home(self, moment: datetime) -> datetime:
        """Return a moment that somebody has given: without an offset it is as the newsroom's clocks show it."""
        return moment if moment.tzinfo else moment.replace(tzinfo=self._zone)

    def _moment(self, text: str | None, form: str = "%Y-%m-%d %H:%M:%S") -> Markup | str:
        """A time of the API, as the newsroom's clocks show it."""
        if not text:
            return ""
        time = datetime.fromisoformat(text).astimezone(self._zone)
        title, shown = time.strftime("%Y-%m-%d %H:%M:%S %Z"), time.strftime(form)
        # A page of many receivers has a hundred of these, and `Markup.format` takes ten times as long.
        return Markup(f'<time datetime="{escape(text)}" dir="ltr" title="{escape(title)}">{escape(shown)}</time>')  # noqa: S704

    def _lately(self, text: str | None) -> Markup | str:
        """A time of the API: of today the time of day alone."""
        if not text:
            return ""
        today = clock.agreed().astimezone(self._zone).date()
        is_today = datetime.fromisoformat(text).astimezone(self._zone).date() == today
        return self._moment(text, "%H:%M:%S" if is_today else "%Y-%m-%d %H:%M")

    def _clock(self, text: str | None) -> Markup | str:
        """The time of day alone, for what is of this day."""
        return self._moment(text, "%H:%M:%S")

    @pass_context
    def _reason(self, context: Context, text: str | None) -> Markup:
        """Why something failed, in the language of the visitor, with its times as the newsroom's clocks show them."""
        return reason(context["language"], _TIME.sub(self._at_clocks, text or ""))

    @pass_context
    def _problem(self, context: Context, text: str) -> Markup | str:
        """Why something can't be done: a phrase of ours, or a reason."""
        translated = phrase(context["language"], text)
        return translated if translated != text else self._reason(context, text)

    def _at_clocks(self, match: re.Match[str]) -> str:
        return f"{datetime.fromisoformat(match[0]).astimezone(self._zone):%Y-%m-%d %H:%M:%S}"


@pass_context
def _since(context: Context, text: str | None, until: str | None) -> str:
    """How long it is from one time of the API to another."""
    if not text or not until:
        return ""
    seconds = max(0.0, (datetime.fromisoformat(until) - datetime.fromisoformat(text)).total_seconds())
    return span(context["language"], seconds)


def _pretty(value: Any) -> str:
    """Settings and the like as JSON that people can read; the template escapes it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _epoch(text: str) -> float:
    """A time of the API in seconds since 1970, for charts."""
    return datetime.fromisoformat(text).timestamp()


@pass_context
def _in_words(context: Context, seconds: float) -> str:
    return span(context["language"], seconds)


def span(language: str, seconds: float) -> str:
    """Return a length of time as people say it in a language: 0.4 s, 12 s, 3 min, 2 h, 5 d."""
    unit, words = next((unit, words) for most, unit, words in _UNITS if seconds < most)
    count = f"{seconds:.1f}" if seconds < 10 else f"{seconds / unit:.0f}"
    return phrase(language, words).format(count=count)


@pass_context
def _translated(context: Context, text: str, **values: Any) -> str | Markup:
    """A phrase of ours in the language of the visitor; what is put into it is escaped."""
    words = phrase(context["language"], text)
    return _filled(words, values) if values else words


@pass_context
def _counted(context: Context, singular: str, plural: str, count: int, **values: Any) -> Markup:
    """What a phrase of ours is of so many, in the language of the visitor; `count` is put into it, too."""
    return _filled(counted_phrase(context["language"], singular, plural, count), {"count": count, **values})


def _filled(words: str, values: Mapping[str, Any]) -> Markup:
    # The phrase is ours; what is put into it is escaped.
    return Markup(words.format_map({name: escape(value) for name, value in values.items()}))  # noqa: S704
