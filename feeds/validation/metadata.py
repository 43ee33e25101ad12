"""Metadata that stands anywhere in feeds: Dublin Core 1.1 and Terms, places (GeoRSS, W3C's geo), RDF."""

from __future__ import annotations

import re
from collections.abc import Mapping

from feeds.validation.kinds import (
    ANYTHING,
    Kind,
    Value,
    counted,
    decimal,
    integer,
    language,
    latitude,
    longitude,
    matches,
    w3cdtf,
    words,
)
from feeds.validation.namespaces import MANY_WORDS, OF, WORDS, module, resource

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
        resource(),
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
    | module("geo", Point=Kind(None, holds=_latlong, must=(f"{{{OF['geo']}}}lat", f"{{{OF['geo']}}}long"), many=True))
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
ANYWHERE: Mapping[str, Kind] = _dc | _terms | _places | _rdf
"""What stands in a feed, in its items, and in what stands in them."""
