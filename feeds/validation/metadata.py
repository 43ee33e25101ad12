"""Elements of metadata that may stand anywhere in feeds: Dublin Core 1.1 and Terms, places (GeoRSS, W3C's geo), RDF."""

from __future__ import annotations

import re
from collections.abc import Mapping

from feeds.validation.element_models import (
    ANYTHING,
    ElementModel,
    TextCheck,
    any_text,
    decimal,
    integer,
    language,
    latitude,
    longitude,
    matches,
    positive_integer,
    w3cdtf,
)
from feeds.validation.namespaces import MANY_WORDS, OF, WORDS, module, resource

# Dublin Core. Elements that RSS and Atom have once themselves may stand once.
_dc = module(
    "dc",
    **dict.fromkeys(("title", "description", "type", "format", "source", "rights"), WORDS),
    **dict.fromkeys(
        ("creator", "subject", "publisher", "contributor", "identifier", "relation", "coverage"), MANY_WORDS
    ),
    language=ElementModel(language),
)
_terms = module(
    "dcterms",
    **dict.fromkeys(("created", "issued", "modified"), ElementModel(w3cdtf)),
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
    extent=ElementModel(positive_integer),
)

# Places.
_NUMBER = r"[-+]?\d+(?:\.\d*)?"
_position = matches(re.compile(rf"{_NUMBER}(?:[ ,]\s*{_NUMBER}){{1,2}}").fullmatch, "is no latitude and longitude")


def _path(text: str) -> str | None:
    numbers = text.replace(",", " ").split()
    good = len(numbers) >= 4 and len(numbers) % 2 == 0 and all(re.fullmatch(_NUMBER, number) for number in numbers)
    return None if good else "is no list of latitudes and longitudes"


_srs: Mapping[str, TextCheck] = {"srsName": any_text, "srsDimension": positive_integer}
_pos = module("gml", pos=ElementModel(_position, attributes=_srs))
_list = module("gml", posList=ElementModel(_path, attributes=_srs))
_ring = module("gml", LinearRing=ElementModel(None, attributes=_srs, children=_list))
_corners = module("gml", lowerCorner=ElementModel(_position), upperCorner=ElementModel(_position))
_shapes = module(
    "gml",
    Point=ElementModel(None, attributes=_srs, children=_pos),
    LineString=ElementModel(None, attributes=_srs, children=_list),
    Polygon=ElementModel(None, attributes=_srs, children=module("gml", exterior=ElementModel(None, children=_ring))),
    Envelope=ElementModel(None, attributes=_srs, children=_corners),
)
_latlong = module("geo", lat=ElementModel(latitude), long=ElementModel(longitude), alt=ElementModel(decimal))
_georss_attributes: Mapping[str, TextCheck] = dict.fromkeys(
    ("elev", "floor", "radius", "featuretypetag", "relationshiptag", "featurename"), any_text
)
_places = (
    _latlong
    | module(
        "geo",
        Point=ElementModel(
            None, children=_latlong, required_children=(f"{{{OF['geo']}}}lat", f"{{{OF['geo']}}}long"), repeatable=True
        ),
    )
    | module("icbm", latitude=ElementModel(latitude), longitude=ElementModel(longitude))
    | module("geourl", latitude=ElementModel(latitude), longitude=ElementModel(longitude))
    | module(
        "georss",
        where=ElementModel(None, children=_shapes, attributes=_georss_attributes, repeatable=True),
        point=ElementModel(_position, attributes=_georss_attributes, repeatable=True),
        line=ElementModel(_path, attributes=_georss_attributes, repeatable=True),
        polygon=ElementModel(_path, attributes=_georss_attributes, repeatable=True),
        box=ElementModel(_path, attributes=_georss_attributes, repeatable=True),
        circle=ElementModel(attributes=_georss_attributes, repeatable=True),
        elev=ElementModel(decimal),
        floor=ElementModel(integer),
        radius=ElementModel(decimal),
        featuretypetag=MANY_WORDS,
        featureTypeTag=MANY_WORDS,
        relationshiptag=MANY_WORDS,
        relationshipTag=MANY_WORDS,
        featurename=MANY_WORDS,
        featureName=MANY_WORDS,
    )
)

_rdf = module("rdf", RDF=ANYTHING, type=ANYTHING, Description=ANYTHING)
ANYWHERE: Mapping[str, ElementModel] = _dc | _terms | _places | _rdf
"""What may stand in a feed, in its items, and in the elements of items."""
