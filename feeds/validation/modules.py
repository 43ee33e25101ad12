"""The modules that feeds of RSS and Atom borrow from others: what each of their elements may be.

`FEED` and `ITEM` say which stand in a channel or feed and which in an item or entry; `ANYWHERE` are those of both, and
of what stands in them. An element of these namespaces that is not here does not exist.

Sources: the modules' own specifications, among them Dublin Core 1.1 and Terms, RSS 1.0's modules (content, syndication,
slash), Media RSS 1.5.1, Apple's requirements of podcasts, GeoRSS, RFC 4685 (threads), RFC 5005 (archives), RFC 5023
(publishing), OpenSearch 1.1, FeedSync 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from feeds.formats.extensions import ATOM_NS, HISTORY_NS, MEDIA_NS, TOMBSTONE_NS
from feeds.validation import values
from feeds.validation.kinds import (
    ANYTHING,
    Kind,
    Value,
    any_case,
    at_most,
    contact,
    count,
    counted,
    decimal,
    http,
    integer,
    iri,
    language,
    latitude,
    longitude,
    matches,
    media_type,
    one_of,
    reference,
    rfc822,
    rfc3339,
    uri,
    w3cdtf,
    words,
)
from feeds.validation.xml import Element

_RDF_NS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_THREAD_NS = "http://purl.org/syndication/thread/1.0"
_ITUNES_NS = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_DC_NS = "http://purl.org/dc/elements/1.1/"
_TERMS_NS = "http://purl.org/dc/terms/"

NAMESPACES: Mapping[str, str] = {
    ATOM_NS: "atom",
    MEDIA_NS: "media",
    HISTORY_NS: "fh",
    TOMBSTONE_NS: "at",
    _RDF_NS: "rdf",
    _THREAD_NS: "thr",
    _ITUNES_NS: "itunes",
    _DC_NS: "dc",
    _TERMS_NS: "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://purl.org/rss/1.0/modules/slash/": "slash",
    "http://purl.org/rss/1.0/modules/aggregation/": "ag",
    "http://purl.org/rss/1.0/modules/event/": "ev",
    "http://wellformedweb.org/CommentAPI/": "wfw",
    "http://webns.net/mvcb/": "admin",
    "http://backend.userland.com/blogChannelModule": "blogChannel",
    "http://backend.userland.com/creativeCommonsRssModule": "creativeCommons",
    "http://madskills.com/public/xml/rss/module/trackback/": "trackback",
    "http://www.w3.org/2003/01/geo/wgs84_pos#": "geo",
    "http://www.georss.org/georss": "georss",
    "http://www.opengis.net/gml": "gml",
    "http://postneo.com/icbm": "icbm",
    "http://geourl.org/rss/module/": "geourl",
    "http://a9.com/-/spec/opensearch/1.1/": "opensearch",
    "http://a9.com/-/spec/opensearchrss/1.0/": "opensearch10",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.w3.org/2007/app": "app",
    "http://feedsync.org/2007/feedsync": "sx",
    "http://www.bloglines.com/about/specs/fac-1.0": "access",
    "http://conversationsnetwork.org/rssNamespace-1.0/": "conversationsNetwork",
}
"""The namespaces whose every element is known here, with their usual prefixes."""
NEAR_MISSES: Mapping[str, str] = {"http://search.yahoo.com/mrss": MEDIA_NS}
"""Namespaces that are written wrong so often that no program knows them: what is meant."""

_OF: Mapping[str, str] = {prefix: namespace for namespace, prefix in NAMESPACES.items()}

WORDS = Kind()
MANY_WORDS = Kind(many=True)
LINK = Kind(uri)


def module(prefix: str, **kinds: Kind) -> dict[str, Kind]:
    """The elements of one namespace, by tag; an underscore stands for the hyphen of a name."""
    return {f"{{{_OF[prefix]}}}{name.replace('_', '-')}": kind for name, kind in kinds.items()}


def _resource(many: bool = True) -> Kind:
    """An element that names something by rdf:resource."""
    return Kind(attributes={f"{{{_RDF_NS}}}resource": uri, f"{{{_DC_NS}}}title": words}, many=many)


# Dublin Core. What may be said once there, RSS and Atom say once themselves.
_dc = module(
    "dc",
    **dict.fromkeys(("title", "description", "type", "format", "source", "rights"), WORDS),
    **dict.fromkeys(
        ("creator", "subject", "publisher", "contributor", "identifier", "relation", "coverage"), MANY_WORDS
    ),
    language=Kind(language),
)
_terms = module(
    "dcterms",
    **dict.fromkeys(("created", "issued", "modified"), Kind(w3cdtf)),
    **dict.fromkeys(("abstract", "dateAccepted", "dateCopyrighted", "dateSubmitted", "mediator"), WORDS),
    **dict.fromkeys(
        """isVersionOf hasVersion isReplacedBy replaces isRequiredBy requires isPartOf hasPart isReferencedBy references
        isFormatOf hasFormat conformsTo tableOfContents""".split(),  # noqa: SIM905 (quoted words are harder to read)
        _resource(),
    ),
    **dict.fromkeys(
        """valid available spatial temporal accessRights accrualMethod accrualPeriodicity accrualPolicy
        bibliographicCitation educationLevel instructionalMethod license provenance rightsHolder contributor coverage
        creator date description format identifier language medium publisher relation rights source subject title
        type""".split(),  # noqa: SIM905
        ANYTHING,
    ),
    alternative=MANY_WORDS,
    audience=MANY_WORDS,
    extent=Kind(counted),
)

# Places.
_NUMBER = r"[-+]?\d+(?:\.\d*)?"
_position = matches(re.compile(rf"{_NUMBER}(?:[ ,]\s*{_NUMBER}){{1,2}}").fullmatch, "is no latitude and longitude")


def _path(text: str) -> str | None:
    numbers = text.replace(",", " ").split()
    good = len(numbers) >= 4 and len(numbers) % 2 == 0 and all(re.fullmatch(_NUMBER, number) for number in numbers)
    return None if good else "is no list of latitudes and longitudes"


_srs: Mapping[str, Value] = {"srsName": words, "srsDimension": counted}
_pos = module("gml", pos=Kind(_position, attributes=_srs))
_list = module("gml", posList=Kind(_path, attributes=_srs))
_ring = module("gml", LinearRing=Kind(None, attributes=_srs, holds=_list))
_corners = module("gml", lowerCorner=Kind(_position), upperCorner=Kind(_position))
_shapes = module(
    "gml",
    Point=Kind(None, attributes=_srs, holds=_pos),
    LineString=Kind(None, attributes=_srs, holds=_list),
    Polygon=Kind(None, attributes=_srs, holds=module("gml", exterior=Kind(None, holds=_ring))),
    Envelope=Kind(None, attributes=_srs, holds=_corners),
)
_latlong = module("geo", lat=Kind(latitude), long=Kind(longitude), alt=Kind(decimal))
_georss_attributes: Mapping[str, Value] = dict.fromkeys(
    ("elev", "floor", "radius", "featuretypetag", "relationshiptag", "featurename"), words
)
_places = (
    _latlong
    | module("geo", Point=Kind(None, holds=_latlong, must=(f"{{{_OF['geo']}}}lat", f"{{{_OF['geo']}}}long"), many=True))
    | module("icbm", latitude=Kind(latitude), longitude=Kind(longitude))
    | module("geourl", latitude=Kind(latitude), longitude=Kind(longitude))
    | module(
        "georss",
        where=Kind(None, holds=_shapes, attributes=_georss_attributes, many=True),
        point=Kind(_position, attributes=_georss_attributes, many=True),
        line=Kind(_path, attributes=_georss_attributes, many=True),
        polygon=Kind(_path, attributes=_georss_attributes, many=True),
        box=Kind(_path, attributes=_georss_attributes, many=True),
        circle=Kind(attributes=_georss_attributes, many=True),
        elev=Kind(decimal),
        floor=Kind(integer),
        radius=Kind(decimal),
        featuretypetag=MANY_WORDS,
        featureTypeTag=MANY_WORDS,
        relationshiptag=MANY_WORDS,
        relationshipTag=MANY_WORDS,
        featurename=MANY_WORDS,
        featureName=MANY_WORDS,
    )
)

_rdf = module("rdf", RDF=ANYTHING, type=ANYTHING, Description=ANYTHING)
ANYWHERE: dict[str, Kind] = _dc | _terms | _places | _rdf

# Media RSS.
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
    """An address, or one of those names that Media RSS gives in the form of a URN, which are none."""
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
    said = _text(element)
    match element.get("type"):
        case "country":
            if not all(_COUNTRY.fullmatch(country) for country in said.split()):
                yield f"restriction {said!r} is no list of countries"
            elif unknown := [country for country in said.split() if country.upper() not in _COUNTRIES]:
                yield f"restriction {unknown[0]!r} is no country of ISO 3166"
        case "uri":
            if not all(values.uri(address) for address in said.split()):
                yield f"restriction {said!r} is no absolute address"
        case None:
            if said not in {"", "all", "none"}:
                yield f"restriction {said!r} must have a type, or be all or none"
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
_PLAIN_OR_HTML: Mapping[str, Value] = {"type": one_of("plain", "html")}
_SIZE: Mapping[str, Value] = {"height": counted, "width": counted}
_media = module(
    "media",
    title=Kind(attributes=_PLAIN_OR_HTML),
    description=Kind(attributes=_PLAIN_OR_HTML),
    keywords=MANY_WORDS,
    adult=Kind(one_of("true", "false")),
    category=Kind(attributes={"label": words, "scheme": uri}, many=True),
    copyright=Kind(attributes={"url": uri}),
    credit=Kind(attributes={"role": words, "scheme": _scheme}, many=True, rules=(_credit,)),
    hash=Kind(attributes={"algo": one_of("md5", "sha-1")}, many=True, rules=(_hash,)),
    player=Kind(None, attributes={"url": uri, **_SIZE}, needs=("url",), many=True),
    rating=Kind(attributes={"scheme": _scheme}, many=True, rules=(_rating,)),
    restriction=Kind(
        attributes={"relationship": one_of("allow", "deny"), "type": one_of("country", "uri", "sharing")},
        needs=("relationship",),
        many=True,
        rules=(_restriction,),
    ),
    text=Kind(
        attributes={**_PLAIN_OR_HTML, "start": _MEDIA_TIME, "end": _MEDIA_TIME, "lang": language},
        many=True,
    ),
    thumbnail=Kind(None, attributes={"url": uri, "time": _MEDIA_TIME, **_SIZE}, needs=("url",), many=True),
    status=Kind(None, attributes={"state": one_of("active", "blocked", "deleted"), "reason": words}, needs=("state",)),
    **dict.fromkeys(
        """community comments embed responses backLinks license subTitle subtitle peerLink location rights scenes price
        statistics tags""".split(),  # noqa: SIM905
        ANYTHING,
    ),
)
_content = Kind(
    None,
    attributes={
        "url": uri,
        "type": media_type,
        "lang": language,
        "isDefault": one_of("true", "false"),
        "medium": one_of("image", "audio", "video", "document", "executable"),
        "expression": one_of("sample", "full", "nonstop"),
        "channels": count,
        "fileSize": counted,
        **_SIZE,
        **dict.fromkeys(("bitrate", "duration", "framerate", "samplingrate"), decimal),
    },
    holds=_media | ANYWHERE,
    many=True,
)


def _group(element: Element) -> Iterator[str]:
    if len(element.findall(f"{{{MEDIA_NS}}}content")) < 2:
        yield "group must have at least two media:content"


_media_item = module(
    "media",
    content=_content,
    group=Kind(None, holds=_media | module("media", content=_content) | ANYWHERE, many=True, rules=(_group,)),
)

# Podcasts. Apple takes true and false; yes, no, clean and explicit are of its older lists and still read.
_explicit = Kind(any_case("true", "false", "yes", "no", "clean", "explicit"), strict=True)
_yes = Kind(
    matches(lambda text: text.lower() in {"yes", "no", "clean", "true", "false"}, "is none of Yes"), strict=True
)
_duration = matches(re.compile(r"\d+(?::[0-5]\d){0,2}").fullmatch, "is no duration")
_CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "Arts": ("Books", "Design", "Fashion & Beauty", "Food", "Literature", "Performing Arts", "Visual Arts"),
    "Business": (
        *("Careers", "Entrepreneurship", "Investing", "Management", "Marketing", "Non-Profit"),
        *("Finance", "Management & Marketing", "News", "Shopping", "Business News"),
    ),
    "Comedy": ("Comedy Interviews", "Improv", "Stand-Up"),
    "Education": (
        *("Courses", "How To", "Language Learning", "Self-Improvement"),
        *("Education Technology", "Educational Technology", "Higher Education", "K-12", "Language Courses", "Training"),
    ),
    "Fiction": ("Comedy Fiction", "Drama", "Science Fiction"),
    "Government": (),
    "History": (),
    "Health & Fitness": ("Alternative Health", "Fitness", "Medicine", "Mental Health", "Nutrition", "Sexuality"),
    "Kids & Family": ("Education for Kids", "Parenting", "Pets & Animals", "Stories for Kids"),
    "Leisure": (
        *("Animation & Manga", "Automotive", "Aviation", "Crafts", "Games", "Hobbies", "Home & Garden", "Video Games"),
    ),
    "Music": ("Music Commentary", "Music History", "Music Interviews"),
    "News": (
        *("Business News", "Daily News", "Entertainment News", "News Commentary", "Politics", "Sports News"),
        "Tech News",
    ),
    "Religion & Spirituality": (
        *("Buddhism", "Christianity", "Hinduism", "Islam", "Judaism", "Religion", "Spirituality"),
        *("New Age", "Other", "Philosophy"),
    ),
    "Science": (
        *("Astronomy", "Chemistry", "Earth Sciences", "Life Sciences", "Mathematics", "Natural Sciences", "Nature"),
        *("Physics", "Social Sciences"),
    ),
    "Society & Culture": (
        *("Documentary", "Personal Journals", "Philosophy", "Places & Travel", "Relationships", "History"),
    ),
    "Sports": (
        *("Baseball", "Basketball", "Cricket", "Fantasy Sports", "Football", "Golf", "Hockey", "Rugby", "Running"),
        *("Soccer", "Swimming", "Tennis", "Volleyball", "Wilderness", "Wrestling"),
    ),
    "Technology": (
        *("Computers", "Developers", "Gadgets", "Information Technology", "News", "Operating Systems", "Podcasting"),
        *("Smart Phones", "Software How-To", "Tech News", "Text/Speech"),
    ),
    "True Crime": (),
    "TV & Film": ("After Shows", "Film History", "Film Interviews", "Film Reviews", "TV Reviews"),
    # Until 2019, and before 2007.
    "Games & Hobbies": ("Automotive", "Aviation", "Hobbies", "Other Games", "Video Games"),
    "Government & Organizations": ("Local", "National", "Non-Profit", "Regional"),
    "Health": (
        *("Alternative Health", "Diet & Nutrition", "Fitness", "Fitness & Nutrition", "Relationships", "Self-Help"),
        "Sexuality",
    ),
    "News & Politics": (),
    "Science & Medicine": ("Medicine", "Natural Sciences", "Social Sciences"),
    "Sports & Recreation": ("Amateur", "College & High School", "Outdoor", "Professional"),
    "Arts & Entertainment": (
        *("Architecture", "Design", "Entertainment", "Games", "Performing Arts", "Photography", "Poetry"),
        "Science Fiction",
    ),
    "Audio Blogs": (),
    "Family": (),
    "Food": (),
    "International": (
        *("Australian", "Belgian", "Brazilian", "Canadian", "Chinese", "Dutch", "French", "German", "Hebrew"),
        *("Italian", "Japanese", "Norwegian", "Polish", "Portuguese", "Spanish", "Swedish"),
    ),
    "Movies & Television": (),
    "Politics": (),
    "Public Radio": (),
    "Talk Radio": (),
    "Transportation": ("Automotive", "Aviation", "Bicycles", "Commuting"),
    "Travel": (),
}


def _category(element: Element) -> Iterator[str]:
    category = element.get("text")
    if category is None:
        return
    if category not in _CATEGORIES:
        yield f"category {category!r} is none of Apple's"
        return
    for inner in element.iterfind(f"{{{_ITUNES_NS}}}category"):
        if (sub := inner.get("text")) is not None and sub not in _CATEGORIES[category]:
            yield f"category {sub!r} is none of Apple's in {category}"


def _episodes() -> dict[str, Kind]:
    return module(
        "itunes",
        author=Kind(at_most(255)),
        block=_yes,
        explicit=_explicit,
        keywords=Kind(at_most(255)),
        subtitle=Kind(at_most(255)),
        summary=Kind(at_most(4000)),
        title=WORDS,
        image=Kind(None, attributes={"href": http}, needs=("href",)),
    )


_subcategory = module("itunes", category=Kind(None, attributes={"text": words}, needs=("text",), many=True))
_podcast = _episodes() | module(
    "itunes",
    owner=Kind(
        None,
        holds=module("itunes", email=Kind(contact), name=Kind(at_most(255))),
        must=(f"{{{_ITUNES_NS}}}email",),
    ),
    category=Kind(None, attributes={"text": words}, needs=("text",), holds=_subcategory, many=True, rules=(_category,)),
    pubDate=Kind(rfc822),
    new_feed_url=LINK,
    complete=_yes,
    applepodcastsverify=WORDS,
    type=Kind(any_case("episodic", "serial")),
)
_episode = _episodes() | module(
    "itunes",
    duration=Kind(_duration),
    order=Kind(integer),
    isClosedCaptioned=WORDS,
    episode=Kind(counted),
    season=Kind(counted),
    episodeType=Kind(
        matches(lambda text: text.lower() in {"full", "trailer", "bonus"}, "is none of full, trailer, bonus")
    ),
)

# Threads, archives, publishing, searching.
_reply = Kind(attributes={"ref": iri, "href": reference, "source": reference, "type": media_type}, many=True)
_flare: Mapping[str, Value] = {"href": reference, "src": reference}
# Events may be at a place whose time everybody there knows.
_event_time = matches(lambda text: values.w3cdtf(text) or values.w3cdtf(f"{text}Z"), "is no valid time")


def _sharing(element: Element) -> Iterator[str]:
    if ("since" in element.attrib) != ("until" in element.attrib):
        yield "sharing must have since and until, or none of them"
    since, until = values.rfc3339(element.get("since", "")), values.rfc3339(element.get("until", ""))
    if since and until and since > until:
        yield "since must not lie after until"


def synchronised(feed: Element) -> Iterator[str]:
    """No two items of a feed may have one id of FeedSync."""
    ids = [sync.get("id") for sync in feed.iterfind(f"*/{{{_OF['sx']}}}sync")]
    if len(ids) > len(set(ids)):
        yield "two sx:sync must not have the same id"


_true = one_of("true", "false")
_related = Kind(
    None,
    attributes={"link": uri, "title": words, "type": one_of("complete", "aggregated")},
    needs=("link", "type"),
    many=True,
)
_most = 2**31 - 1
_sequence = matches(
    lambda text: text.isascii() and text.isdecimal() and 0 < int(text[-18:]) <= _most and len(text) < 19,
    f"is no whole number from 1 to {_most}",
)
_name = matches(re.compile(r"(?:[0-9A-Za-z()+,.:=@;$_!*'/?#-]|%[0-9A-Fa-f]{2})+").fullmatch, "is no name of a URN")


def _history(element: Element) -> Iterator[str]:
    if not {"when", "by"} & set(map(str, element.attrib)):
        yield "history must have when or by"


def _collection_title(element: Element) -> Iterator[str]:
    if element.find(f"{{{ATOM_NS}}}title") is None:
        yield "collection must have a title"


_collection = Kind(holds=None, attributes={"href": reference}, needs=("href",), many=True, rules=(_collection_title,))
ACCESS: Mapping[str, Kind] = module(
    "access", restriction=Kind(attributes={"relationship": one_of("allow", "deny")}, needs=("relationship",))
)
"""Whom a feed is for: in the feed of Atom, and in RSS beside the channel."""
INDEXING: Mapping[str, Value] = {"{urn:atom-extension:indexing}index": one_of("yes", "no")}
"""Whether search engines may take the feed up, as an attribute of it."""

FEED: Mapping[str, Kind] = {
    **ANYWHERE,
    **_media,
    **_podcast,
    **module("dc", date=Kind(w3cdtf)),
    **module("sy", updateFrequency=Kind(counted), updateBase=Kind(w3cdtf)),
    **module("sy", updatePeriod=Kind(one_of("hourly", "daily", "weekly", "monthly", "yearly"))),
    **module("admin", generatorAgent=_resource(many=False), errorReportsTo=_resource(many=False)),
    **module("blogChannel", **dict.fromkeys(("blogRoll", "mySubscriptions", "blink", "changes"), LINK)),
    **module("creativeCommons", license=LINK.repeated),
    **module("opensearch", totalResults=Kind(count), startIndex=Kind(integer), itemsPerPage=Kind(count)),
    **module(
        "opensearch",
        Query=Kind(
            None,
            attributes={
                "role": words,
                "title": at_most(256),
                "totalResults": count,
                "count": count,
                "startIndex": integer,
                "startPage": integer,
                **dict.fromkeys(("searchTerms", "language", "inputEncoding", "outputEncoding", "parameter"), words),
            },
            needs=("role",),
            many=True,
        ),
        link=ANYTHING,
    ),
    **module("opensearch10", totalResults=Kind(count), startIndex=Kind(integer), itemsPerPage=Kind(count)),
    **module(
        "feedburner",
        awareness=LINK,
        browserFriendly=WORDS,
        emailServiceId=WORDS,
        feedburnerHostname=LINK,
        feedFlare=Kind(attributes=_flare, needs=("href", "src"), many=True),
        info=Kind(None, attributes={"uri": reference}, needs=("uri",), many=True),
    ),
    **module("fh", archive=Kind(None), complete=Kind(None)),
    **module("thr", in_reply_to=_reply),
    **module("app", collection=_collection),
    **module(
        "sx",
        sharing=Kind(
            None,
            attributes=dict.fromkeys(("since", "until", "expires"), rfc3339),
            holds=module("sx", related=_related),
            rules=(_sharing,),
        ),
    ),
    **module("at", deleted_entry=ANYTHING),
}
"""What stands in a channel or a feed."""
ITEM: Mapping[str, Kind] = {
    **ANYWHERE,
    **_media,
    **_media_item,
    **_episode,
    **module("dc", date=Kind(w3cdtf, many=True)),
    **module("content", encoded=WORDS, items=ANYTHING),
    **module("slash", comments=Kind(count), section=MANY_WORDS, department=MANY_WORDS),
    f"{{{_OF['slash']}}}hit_parade": Kind(
        matches(re.compile(r"\d+(?:\s*,\s*\d+)*").fullmatch, "is no list of whole numbers")
    ),
    **module("wfw", comment=LINK, commentRss=LINK, commentRSS=LINK),
    **module("creativeCommons", license=LINK.repeated),
    **module("trackback", ping=LINK, about=LINK.repeated),
    **module("ag", source=WORDS, sourceURL=LINK, timestamp=Kind(_event_time)),
    **module("ev", startdate=Kind(_event_time), enddate=Kind(_event_time), type=WORDS),
    **module("ev", location=ANYTHING, organizer=ANYTHING),
    **module("feedburner", awareness=LINK, origLink=LINK, origEnclosureLink=LINK),
    **module("thr", total=Kind(count), in_reply_to=_reply),
    **module("app", edited=Kind(rfc3339, strict=True), collection=_collection),
    **module("app", control=Kind(None, holds=module("app", draft=Kind(one_of("yes", "no"))))),
    **module(
        "sx",
        sync=Kind(
            None,
            attributes={"id": _name, "updates": _sequence, "deleted": _true, "noconflicts": _true},
            needs=("id", "updates"),
            holds=module(
                "sx",
                history=Kind(
                    None,
                    attributes={"sequence": _sequence, "when": rfc3339, "by": _name},
                    needs=("sequence",),
                    many=True,
                    rules=(_history,),
                ),
                conflicts=ANYTHING,
            ),
            must=(f"{{{_OF['sx']}}}history",),
        ),
    ),
    **module(
        "conversationsNetwork",
        introMilliseconds=Kind(count),
        image=Kind(http),
        ratingAverage=Kind(decimal),
        ratingCount=Kind(count),
        ratingIndividual=Kind(counted),
        ratingTimestamp=Kind(w3cdtf),
    ),
}
"""What stands in an item or an entry."""
