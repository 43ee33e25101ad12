"""The words of the public pages in the languages that they speak; English is in the templates."""

from __future__ import annotations

_ARABIC = {
    "Feeds": "الخلاصات",
    "Feed": "الخلاصة",
    "Section": "القسم",
    "Formats": "الصيغ",
    "All languages": "كل اللغات",
    "Chosen by the editors": "من اختيار المحررين",
    "All feeds": "كل الخلاصات",
    "Follow this feed": "تابع هذه الخلاصة",
    "How to follow": "كيف تتابع",
    "Copy the address of a format into your feed reader: new articles come to you by themselves.": (
        "انسخ عنوان إحدى الصيغ إلى قارئ الخلاصات لديك: تصلك المواد الجديدة من تلقاء نفسها."
    ),
    "Or import all feeds at once, as one file (OPML)": "أو استورد الخلاصات كلها دفعة واحدة في ملف واحد (OPML)",
    "Not sure which format? RSS and Atom work everywhere; JSON is for programs.": (
        "لا تعرف أي صيغة تختار؟ صيغتا RSS وAtom تعملان في كل مكان، وJSON للبرامج."
    ),
    "Programs subscribe at the WebSub hub and are told of each change at once:": (
        "تشترك البرامج لدى موزّع WebSub فتُبلَّغ بكل تغيير فورًا:"
    ),
    "There is also a feed for each": "وهناك خلاصة لكلٍّ من",
    "Nothing has been published here yet.": "لم يُنشر هنا شيء بعد.",
    "Updated as it happens.": "تُحدَّث أولًا بأول.",
}
LANGUAGES = {"en": dict.fromkeys(_ARABIC, ""), "ar": _ARABIC}


def words(language: str, text: str) -> tuple[str, str]:
    """Return a phrase in a language, and the language that it is in: English, where there is no translation."""
    code = language.partition("-")[0].lower()
    translation = LANGUAGES.get(code, {}).get(text)
    return (translation or text, language if translation is not None else "en")
