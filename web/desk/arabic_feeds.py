"""The words of the desk's pages of articles and feeds in Arabic, where they are not in `arabic`."""

from __future__ import annotations

FEEDS: dict[str, str] = {
    "Section": "القسم",
    "Author": "الكاتب",
    "Readers": "القرّاء",
    "Reader": "القارئ",
    "Subscribers": "المشتركون",
    "Day (UTC)": "اليوم (UTC)",
    "On {day}": "في {day}",
    "Subscribers that feed readers tell of, by day": "المشتركون كما تذكرهم قارئات الخلاصات، يومًا بيوم",
    "What services that read the feed for many people tell of them. Nobody proves it; readers on one's own device tell nothing.": (  # noqa: E501
        "ما تذكره خدمات تقرأ الخلاصة لأناس كثيرين. لا يتحقق منه أحد، والقارئات على أجهزة أصحابها لا تذكر شيئًا."
    ),
    "No reader has told how many people it reads for. Services such as Feedly and NewsBlur do when they fetch the feed.": (  # noqa: E501
        "لم تذكر أي خدمة عدد من تقرأ لهم. تذكره خدمات مثل Feedly وNewsBlur حين تجلب الخلاصة."
    ),
}
