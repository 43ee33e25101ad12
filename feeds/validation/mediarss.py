"""The elements of Media RSS 1.5.1 (https://www.rssboard.org/media-rss): pictures, films, sound, what describes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from feeds.formats.extensions import MEDIA_NS
from feeds.validation import values
from feeds.validation.element_models import (
    ANYTHING,
    ElementModel,
    TextCheck,
    any_text,
    count,
    decimal,
    language,
    matches,
    media_type,
    one_of,
    positive_integer,
    uri,
)
from feeds.validation.metadata import ANYWHERE
from feeds.validation.namespaces import MANY_WORDS, module
from feeds.validation.xml import Element

_MEDIA_TIME = matches(
    re.compile(r"now|\d+(?:\.\d+)?|\d+:\d\d(?::\d\d(?:\.\d+)?)?(?:\.\d+)?").fullmatch,
    "is no time of the normal play time",
)
_HASH_LENGTHS = {"md5": 32, "sha-1": 40}
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_SCHEMES = frozenset({"urn:simple", "urn:icra", "urn:mpaa", "urn:v-chip", "urn:ebu", "urn:yvs"})
_RATINGS = {
    "urn:simple": ("adult", "nonadult"),
    "urn:mpaa": ("g", "m", "nc-17", "pg", "pg-13", "r", "x"),
    "urn:v-chip": (
        *("14+", "18+", "c", "c8", "g", "pg", "tv-14", "tv-g", "tv-ma", "tv-pg", "tv-y", "tv-y7", "tv-y7-fv"),
    ),
}
_ICRA = re.compile(
    r"r \((?:[nsvlocx]z [01]|(?:n[a-c]|s[a-f]|v[a-j]|l[a-c]|o[a-h]|c[a-b]|x[a-e]) 1)"
    r"(?: (?:[nsvlocx]z [01]|(?:n[a-c]|s[a-f]|v[a-j]|l[a-c]|o[a-h]|c[a-b]|x[a-e]) 1))*\)"
)
# The roles of the European Broadcasting Union, which Media RSS takes, as far as they are in use.
_ROLES = frozenset(
    re.split(
        r",\s+",
        """actor, adaptor, anchor person, animal trainer, animator, announcer, armourer, art director, artist,
        artist/performer, assistant camera, assistant chief lighting technician, assistant director, assistant producer,
        assistant visual editor, author, broadcast assistant, broadcast journalist, camera operator, carpenter, casting,
        causeur, chief lighting technician, choir, choreographer, clapper loader, commentary or commentator,
        commissioning broadcaster, composer, computer programmer, conductor, consultant, continuity checker,
        correspondent, costume designer, dancer, dialogue coach, director, director of photography,
        distribution company, draughtsman, dresser, dubber, editor, editor/producer, ensemble, executive producer,
        expert, fight director, floor manager, focus puller, foley artist, foley editor, foley mixer,
        graphic assistant, graphic designer, greensman, grip, hairdresser, illustrator, interviewed guest, interviewer,
        key character, key grip, key talents, leadman, librettist, lighting director, lighting technician,
        location manager, lyricist, make up artist, manufacturer, matte artist, music arranger, music group, musician,
        news reader, orchestra, owner, participant, performer, photographer, post, producer, production assistant,
        production company, production department, production manager, production secretary,
        programme production researcher, programme proposal, property manager, publishing company, puppeteer,
        pyrotechnician, reporter, rigger, runner, scenario, scenic operative, script supervisor,
        second assistant camera, second assistant director, second unit director, set designer, set dresser,
        sign language, singer, sound designer, sound mixer, sound recordist, special effects, stunts, subtitles,
        technical director, term, translation, transportation manager, treatment, treatment proposal,
        treatment/programme proposal, vision mixer, visual editor, visual effects, wardrobe, witness""",
    )
)


def _text(element: Element) -> str:
    return "".join(map(str, element.itertext())).strip()


def _scheme(text: str) -> str | None:
    """Accept an address, or one of Media RSS's names that only look like a URN."""
    return None if text in _SCHEMES else uri(text)


def _hash(element: Element) -> Iterator[str]:
    algorithm, digest = element.get("algo", "md5"), _text(element)
    if algorithm in _HASH_LENGTHS and not re.fullmatch(f"[0-9A-Za-z]{{{_HASH_LENGTHS[algorithm]}}}", digest):
        yield f"hash {digest!r} is none of {algorithm}"


def _rating(element: Element) -> Iterator[str]:
    scheme, rating = element.get("scheme") or "urn:simple", _text(element)
    if scheme == "urn:icra":
        if not _ICRA.fullmatch(rating):
            yield f"rating {rating!r} is none of urn:icra"
    elif rating not in _RATINGS.get(scheme, (rating,)):
        yield f"rating {rating!r} is none of {scheme}"


def _restriction(element: Element) -> Iterator[str]:
    restriction = _text(element)
    match element.get("type"):
        case "country":
            if not all(_COUNTRY.fullmatch(country) for country in restriction.split()):
                yield f"restriction {restriction!r} is no list of countries"
            elif unknown := [country for country in restriction.split() if country.upper() not in _COUNTRIES]:
                yield f"restriction {unknown[0]!r} is no country of ISO 3166"
        case "uri":
            if not all(values.uri(address) for address in restriction.split()):
                yield f"restriction {restriction!r} is no absolute address"
        case None:
            if restriction not in {"", "all", "none"}:
                yield f"restriction {restriction!r} must have a type, or be all or none"
        case _:
            pass


def _credit(element: Element) -> Iterator[str]:
    role = element.get("role", "")
    if (element.get("scheme") or "urn:ebu") == "urn:ebu":
        if role and role not in _ROLES:
            yield f"role {role!r} is none of urn:ebu"
    elif role != role.lower():
        yield f"role {role!r} must be in lower case"


# ISO 3166-1, with codes that were withdrawn lately.
_COUNTRIES = frozenset(
    """AD AE AF AG AI AL AM AN AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CS CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT
    MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
    UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW""".split()  # noqa: SIM905
)
_PLAIN_OR_HTML: Mapping[str, TextCheck] = {"type": one_of("plain", "html")}
_SIZE: Mapping[str, TextCheck] = {"height": positive_integer, "width": positive_integer}
MEDIA: Mapping[str, ElementModel] = module(
    "media",
    title=ElementModel(attributes=_PLAIN_OR_HTML),
    description=ElementModel(attributes=_PLAIN_OR_HTML),
    keywords=MANY_WORDS,
    adult=ElementModel(one_of("true", "false")),
    category=ElementModel(attributes={"label": any_text, "scheme": uri}, repeatable=True),
    copyright=ElementModel(attributes={"url": uri}),
    credit=ElementModel(attributes={"role": any_text, "scheme": _scheme}, repeatable=True, checks=(_credit,)),
    hash=ElementModel(attributes={"algo": one_of("md5", "sha-1")}, repeatable=True, checks=(_hash,)),
    player=ElementModel(None, attributes={"url": uri, **_SIZE}, required_attributes=("url",), repeatable=True),
    rating=ElementModel(attributes={"scheme": _scheme}, repeatable=True, checks=(_rating,)),
    restriction=ElementModel(
        attributes={"relationship": one_of("allow", "deny"), "type": one_of("country", "uri", "sharing")},
        required_attributes=("relationship",),
        repeatable=True,
        checks=(_restriction,),
    ),
    text=ElementModel(
        attributes={**_PLAIN_OR_HTML, "start": _MEDIA_TIME, "end": _MEDIA_TIME, "lang": language},
        repeatable=True,
    ),
    thumbnail=ElementModel(
        None, attributes={"url": uri, "time": _MEDIA_TIME, **_SIZE}, required_attributes=("url",), repeatable=True
    ),
    status=ElementModel(
        None,
        attributes={"state": one_of("active", "blocked", "deleted"), "reason": any_text},
        required_attributes=("state",),
    ),
    **dict.fromkeys(
        """community comments embed responses backLinks license subTitle subtitle peerLink location rights scenes price
        statistics tags""".split(),  # noqa: SIM905
        ANYTHING,
    ),
)
_content = ElementModel(
    None,
    attributes={
        "url": uri,
        "type": media_type,
        "lang": language,
        "isDefault": one_of("true", "false"),
        "medium": one_of("image", "audio", "video", "document", "executable"),
        "expression": one_of("sample", "full", "nonstop"),
        "channels": count,
        "fileSize": positive_integer,
        **_SIZE,
        **dict.fromkeys(("bitrate", "duration", "framerate", "samplingrate"), decimal),
    },
    children={**MEDIA, **ANYWHERE},
    repeatable=True,
)


def _group(element: Element) -> Iterator[str]:
    if len(element.findall(f"{{{MEDIA_NS}}}content")) < 2:
        yield "group must have at least two media:content"


MEDIA_ITEM: Mapping[str, ElementModel] = module(
    "media",
    content=_content,
    group=ElementModel(
        None, children={**MEDIA, **module("media", content=_content), **ANYWHERE}, repeatable=True, checks=(_group,)
    ),
)
