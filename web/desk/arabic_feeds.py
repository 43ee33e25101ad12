"""The words of the desk's pages of articles, feeds and formats in Arabic, where they are not in `arabic`."""

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
    "Formats of our own": "صيغنا الخاصة",
    "New format": "صيغة جديدة",
    "What it is of": "لأي شيء هي",
    "Media type": "نوع الوسائط",
    "There are no formats here. Those of the settings file are defined there.": (
        "لا صيغ هنا. صيغ ملف الإعدادات معرّفة فيه."
    ),
    "Template": "القالب",
    "How a correction looks": "شكل التصحيح",
    "How a withdrawal looks": "شكل الإزالة",
    "How a kill looks": "شكل السحب",
    "What stands around the articles of a feed": "ما يحيط بمواد الخلاصة",
    "The schema that judges it": "المخطط الذي يُحكم به عليها",
    "as JSON: mapping, extension, embargo, separator": "بصيغة JSON: mapping وextension وembargo وseparator",
    "Try it": "جرّبها",
    "its id; empty: a sample": "معرّفها؛ فارغ: مثال",
    "As": "باعتبارها",
    "Remove the format": "أزل الصيغة",
    "What it makes of it": "ما ينتج عنها",
}
