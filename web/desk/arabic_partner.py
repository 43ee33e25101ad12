"""The words of the page of a partner in Arabic, where they are not the desk's."""

from __future__ import annotations

ARABIC_OF_PARTNERS: dict[str, str] = {
    # The page of a partner
    "Your page": "صفحتك",
    "Back to your page": "العودة إلى صفحتك",
    "Signatures": "التواقيع",
    "What we send you, and how your endpoints do. Whoever has your link sees this page: treat it as a password.": (
        "ما نرسله إليك، وحال نقاط التسليم لديك. كل من لديه الرابط يرى هذه الصفحة: احفظه كما تحفظ كلمة المرور."
    ),
    "You have no endpoints here yet. Ask the newsroom for one: they need an address that takes articles.": (
        "ليست لديك نقاط تسليم هنا بعد. اطلب واحدة من غرفة الأخبار: يلزمهم عنوان يستقبل المواد."
    ),
    "On the page of an endpoint you see each push with your answer, send yourself a test article, have articles sent again and replace your secret.": (  # noqa: E501
        "في صفحة نقطة التسليم ترى كل إرسال مع جوابك، وترسل إلى نفسك مادة تجريبية، "
        "وتطلب إعادة إرسال مواد، وتستبدل مفتاحك السري."
    ),
    "There are none now: all is signed by your secret (v1).": "لا مفاتيح الآن: كل شيء موقّع بمفتاحك السري (v1).",
    "Your new secret": "مفتاحك السري الجديد",
    "It is shown this once: keep it now. For 24 hours the old one signs beside it.": (
        "يظهر هذه المرة فقط: احفظه الآن. يوقّع القديم إلى جانبه 24 ساعة."
    ),
    "What you can do": "ما يمكنك فعله",
    "Times are those of {zone}.": "الأوقات بتوقيت {zone}.",
    "Replace your secret": "استبدل مفتاحك السري",
    "A new one is made and shown once. For 24 hours pushes are signed by both, so nothing is refused meanwhile.": (
        "يُنشأ مفتاح جديد ويظهر مرة واحدة. توقَّع المواد بكليهما 24 ساعة، فلا يُرفض شيء في الأثناء."
    ),
    "How a signature is checked": "كيف يُتحقق من التوقيع",
    "Every push is signed. Check it before you read what was sent: so you know that it comes from us, is unchanged and is not old.": (  # noqa: E501
        "كل إرسال موقّع. تحقق من التوقيع قبل قراءة ما أُرسل: فتعرف أنه منا ولم يتغير وليس قديمًا."
    ),
    "Of the push; it stays the same when the push is tried again.": "معرّف الإرسال؛ يبقى نفسه عند إعادة المحاولة.",
    "When it was signed, in seconds since 1970. Refuse what is older than five minutes.": (
        "وقت التوقيع بالثواني منذ 1970. ارفض ما مضى عليه أكثر من خمس دقائق."
    ),
    "One or more, with a space between them; one that is right will do. v1 is by your secret, v1a by our public key.": (
        "توقيع أو أكثر تفصل بينها مسافة؛ يكفي واحد صحيح. v1 بمفتاحك السري، وv1a بمفتاحنا العلني."
    ),
    "Our public keys": "مفاتيحنا العلنية",
    "Your secret is in WEBHOOK_SECRET.": "مفتاحك السري في WEBHOOK_SECRET.",
    "This link has ended or was revoked. Ask the newsroom for another one.": (
        "انتهى هذا الرابط أو أُلغي. اطلب رابطًا آخر من غرفة الأخبار."
    ),
    "This did not come from this page, so nothing was done.": "لم يأت هذا من هذه الصفحة، فلم يُفعل شيء.",
    "A link is opened, nothing is sent to it.": "يُفتح الرابط ولا يُرسل إليه شيء.",
    # The links, at the desk
    "Their own page": "صفحتهم",
    "By a link they see what they were sent and how they do, test, replay to themselves and replace their secret.": (
        "برابط يرون ما أُرسل إليهم وحالهم، ويختبرون، ويعيدون الإرسال إلى أنفسهم، ويستبدلون مفتاحهم السري."
    ),
    "This link is shown this once. Whoever has it acts for them until it ends.": (
        "يظهر هذا الرابط هذه المرة فقط. كل من لديه الرابط يتصرف باسمهم حتى ينتهي."
    ),
    "Make a link": "أنشئ رابطًا",
    "It ends after (days)": "ينتهي بعد (أيام)",
    "Link": "الرابط",
    "Made by": "أنشأه",
}
