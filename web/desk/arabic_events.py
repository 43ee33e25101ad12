"""What happens to articles and events, and what endpoints make of them, in Arabic."""

from __future__ import annotations

EVENTS = {
    "withdrawn": "أُزيلت",
    "repeated": "أُرسلت ثانية",
    "duplicate": "مكرر",
    "stale": "متأخر عن أحدث منه",
    "conflict": "متعارض",
    "unknown": "غير معروف",
    "rejected": "مرفوض",
    # What endpoints refuse, and how they do
    "Parked articles": "المواد المركونة",
    "Set aside because the endpoint refused them, or our quality gate did. Everything else goes on; on the page of an "
    "endpoint they are sent again.": "رُكنت لأن نقطة التسليم رفضتها أو لأن بوابة الجودة رفضتها. "
    "ما عداها يمضي؛ وتُرسل ثانية من صفحة نقطة التسليم.",
    "Reason": "السبب",
    "The newest": "الأحدث",
    "There are more than are counted here.": "هناك أكثر مما أُحصي هنا.",
    "Nothing is parked.": "لا شيء مركون.",
    "Success over time": "النجاح عبر الوقت",
    "a month": "شهر",
    "Delivered and failed": "ما سُلّم وما أخفق",
    "Counted since": "محصاة منذ",
    "There were no attempts.": "لم تكن هناك محاولات.",
    # An attempt at an endpoint
    "An attempt": "محاولة",
    "How long it took": "كم استغرقت",
    "In all": "في المجموع",
    "Its name was looked up": "البحث عن عنوان المضيف",
    "It was connected": "الاتصال",
    "It was made secure": "تأمين الاتصال",
    "The answer began": "بدء الجواب",
    "It can't be shown:": "لا يمكن عرضه:",
    "nothing was sent": "لم يُرسل شيء",
    "nothing was sent, or in a format that is not known here any more": "لم يُرسل شيء، أو بصيغة لم تعد معروفة هنا",
    "its text was killed or forgotten": "سُحب نصه أو مُحي",
    "the feed, the endpoint, the newsroom or Dateline is another than when it was sent": (
        "تغيّرت الخلاصة أو نقطة التسليم أو غرفة الأخبار أو Dateline منذ إرسالها"
    ),
    "the endpoint, the newsroom or Dateline is another than when it was sent": (
        "تغيّرت نقطة التسليم أو غرفة الأخبار أو Dateline منذ إرساله"
    ),
}
