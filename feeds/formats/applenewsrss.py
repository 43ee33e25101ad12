"""Apple News from RSS ("Use an RSS feed with Apple News"): plain RSS in a language that names its country.

Apple takes down what is no longer in the feed.
"""

from __future__ import annotations

from dataclasses import replace

from feeds.entry import Channel
from feeds.formats.profile import Profile, rss_profile

# Where a language is said without its country: the country where most of its readers are (CLDR, likely subtags),
# except Arabic, where the market that Apple serves counts.
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


FORMAT = rss_profile(Profile("applenews-rss", channel=_channel))
