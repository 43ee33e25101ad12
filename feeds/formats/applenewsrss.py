"""Apple News from RSS ("Use an RSS feed with Apple News"): plain RSS whose language names its country.

Apple takes down what is no longer in the feed.
"""

from __future__ import annotations

from dataclasses import replace

from feeds.entry import Channel
from feeds.formats.profile import Profile, rss_profile

# The country of a language that names none: the one where most of its readers live (CLDR, likely subtags). For Arabic
# it is the market that Apple serves.
LOCALES = {
    "ar": "ar-SA",
    "de": "de-DE",
    "en": "en-US",
    "es": "es-ES",
    "fa": "fa-IR",
    "fr": "fr-FR",
    "he": "he-IL",
    "it": "it-IT",
    "ja": "ja-JP",
    "nl": "nl-NL",
    "pt": "pt-BR",
    "tr": "tr-TR",
    "ur": "ur-PK",
}


def _channel(channel: Channel) -> Channel:
    return replace(channel, language=LOCALES.get(channel.language, channel.language))


FORMAT = rss_profile(Profile("applenews-rss", adapt_channel=_channel))
