"""The words of the desk's pages of articles, feeds and formats in Arabic, where they are not in `arabic`."""

from __future__ import annotations

FEEDS: dict[str, str] = {
    "Section": "القسم",
    "Author": "الكاتب",
    "Summary": "الملخص",
    "Text": "النص",
    "Subjects": "الموضوعات",
    "Authors": "الكتّاب",
    "Pictures": "الصور",
    "Expires": "تنتهي صلاحيتها",
    "Show all": "اعرض الكل",
    "Its articles": "موادها",
    "on": "في",
    "being sent": "قيد التسليم",
    "Fewer words, another state or a longer time may find it; the words of killed articles are not kept, so look for their id.": (  # noqa: E501
        "قد تجدها بكلمات أقل أو حالة أخرى أو مدة أطول؛ ولا تُحفظ كلمات المواد المسحوبة، فابحث عنها بمعرّفها."
    ),
    "Check that none is missing": "تحقق من أنه لا ينقص منه شيء",
    "From where": "من أين",
    "One is raised for a kill that is not proven, an endpoint that lags or fails, events that wait, a lost worker or record, a certificate or lease that ends. The rules and the channels are in the settings, under [alarms].": (  # noqa: E501
        "يُرفع إنذار لسحب لم يثبت، ونقطة تسليم تتأخر أو تتعثر، وأحداث تنتظر، وعامل أو قاعدة سجل مفقودة، "
        "وشهادة أو عقد ينتهي. القواعد والقنوات في الإعدادات تحت [alarms]."
    ),
    "Readers": "القرّاء",
    "Reader": "القارئ",
    "Subscribers": "المشتركون",
    "Day (UTC)": "اليوم (UTC)",
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
    "Remove the format …": "أزل الصيغة …",
    "What it makes of it": "ما ينتج عنها",
}
