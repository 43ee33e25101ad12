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
    "author": "كاتب",
    "subject": "موضوع",
    "section": "قسم",
    "edition": "طبعة",
    "In place of the three dots stands the name, in lower case and with hyphens between its words.": (
        "يحلّ الاسم محل النقاط الثلاث، بأحرف صغيرة وبين كلماته شرطات."
    ),
}
_PERSIAN = {
    "Feeds": "خوراک‌ها",
    "Feed": "خوراک",
    "Section": "بخش",
    "Formats": "قالب‌ها",
    "All languages": "همهٔ زبان‌ها",
    "Chosen by the editors": "برگزیدهٔ سردبیران",
    "All feeds": "همهٔ خوراک‌ها",
    "Follow this feed": "این خوراک را دنبال کنید",
    "How to follow": "چگونه دنبال کنیم",
    "Copy the address of a format into your feed reader: new articles come to you by themselves.": (
        "نشانی یکی از قالب‌ها را در خوراک‌خوان خود بگذارید: مطالب تازه خودشان می‌رسند."
    ),
    "Or import all feeds at once, as one file (OPML)": "یا همهٔ خوراک‌ها را یک‌جا در یک پرونده (OPML) وارد کنید",
    "Not sure which format? RSS and Atom work everywhere; JSON is for programs.": (
        "نمی‌دانید کدام قالب؟ RSS و Atom همه‌جا کار می‌کنند؛ JSON برای برنامه‌هاست."
    ),
    "Programs subscribe at the WebSub hub and are told of each change at once:": (
        "برنامه‌ها در هاب WebSub مشترک می‌شوند و از هر تغییر بی‌درنگ خبر می‌گیرند:"
    ),
    "There is also a feed for each": "همچنین خوراکی هست برای هر",
    "Nothing has been published here yet.": "هنوز چیزی اینجا منتشر نشده است.",
    "Updated as it happens.": "لحظه‌به‌لحظه به‌روز می‌شود.",
    "author": "نویسنده",
    "subject": "موضوع",
    "section": "بخش",
    "edition": "نسخهٔ زبانی",
    "In place of the three dots stands the name, in lower case and with hyphens between its words.": (
        "به جای سه نقطه نام می‌آید، با حروف کوچک و خط تیره میان واژه‌ها."
    ),
}
_URDU = {
    "Feeds": "فیڈز",
    "Feed": "فیڈ",
    "Section": "شعبہ",
    "Formats": "شکلیں",
    "All languages": "تمام زبانیں",
    "Chosen by the editors": "مدیروں کا انتخاب",
    "All feeds": "تمام فیڈز",
    "Follow this feed": "اس فیڈ کو فالو کریں",
    "How to follow": "فالو کیسے کریں",
    "Copy the address of a format into your feed reader: new articles come to you by themselves.": (
        "کسی ایک شکل کا پتا اپنے فیڈ ریڈر میں ڈالیں: نئی خبریں خود آپ تک پہنچیں گی۔"
    ),
    "Or import all feeds at once, as one file (OPML)": "یا تمام فیڈز ایک ہی فائل (OPML) میں درآمد کریں",
    "Not sure which format? RSS and Atom work everywhere; JSON is for programs.": (
        "معلوم نہیں کون سی شکل؟ RSS اور Atom ہر جگہ چلتی ہیں؛ JSON پروگراموں کے لیے ہے۔"
    ),
    "Programs subscribe at the WebSub hub and are told of each change at once:": (
        "پروگرام WebSub ہب پر سبسکرائب کرتے ہیں اور انہیں ہر تبدیلی کی فوراً اطلاع ملتی ہے:"
    ),
    "There is also a feed for each": "ایک فیڈ ہر ایک کے لیے بھی ہے:",
    "Nothing has been published here yet.": "یہاں ابھی کچھ شائع نہیں ہوا۔",
    "Updated as it happens.": "لمحہ بہ لمحہ تازہ۔",
    "author": "مصنف",
    "subject": "موضوع",
    "section": "شعبہ",
    "edition": "ایڈیشن",
    "In place of the three dots stands the name, in lower case and with hyphens between its words.": (
        "تین نقطوں کی جگہ نام لکھیں، چھوٹے حروف میں اور لفظوں کے درمیان ہائفن کے ساتھ۔"
    ),
}
_TURKISH = {
    "Feeds": "Akışlar",
    "Feed": "Akış",
    "Section": "Bölüm",
    "Formats": "Biçimler",
    "All languages": "Bütün diller",
    "Chosen by the editors": "Editörlerin seçtikleri",
    "All feeds": "Bütün akışlar",
    "Follow this feed": "Bu akışı izleyin",
    "How to follow": "Nasıl izlenir",
    "Copy the address of a format into your feed reader: new articles come to you by themselves.": (
        "Bir biçimin adresini akış okuyucunuza kopyalayın: yeni haberler size kendiliğinden gelir."
    ),
    "Or import all feeds at once, as one file (OPML)": "Ya da bütün akışları tek dosyada (OPML) içe aktarın",
    "Not sure which format? RSS and Atom work everywhere; JSON is for programs.": (
        "Hangi biçim, emin değil misiniz? RSS ve Atom her yerde çalışır; JSON programlar içindir."
    ),
    "Programs subscribe at the WebSub hub and are told of each change at once:": (
        "Programlar WebSub merkezine abone olur ve her değişikliği anında öğrenir:"
    ),
    "There is also a feed for each": "Ayrıca şunların her biri için bir akış var:",
    "Nothing has been published here yet.": "Burada henüz bir şey yayımlanmadı.",
    "Updated as it happens.": "Anında güncellenir.",
    "author": "yazar",
    "subject": "konu",
    "section": "bölüm",
    "edition": "dil",
    "In place of the three dots stands the name, in lower case and with hyphens between its words.": (
        "Üç noktanın yerine ad gelir: küçük harflerle, sözcükler arasında kısa çizgiyle."
    ),
}
LANGUAGES = {"en": dict.fromkeys(_ARABIC, ""), "ar": _ARABIC, "fa": _PERSIAN, "tr": _TURKISH, "ur": _URDU}


def words(language: str, text: str) -> tuple[str, str]:
    """Return a phrase in a language, and the language that it is in: English, where there is no translation."""
    code = language.partition("-")[0].lower()
    translation = LANGUAGES.get(code, {}).get(text)
    return (translation or text, language if translation is not None else "en")
