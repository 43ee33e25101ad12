"""What a key or a person may do, in Arabic (`SCOPES` of worker/management/scopes.py)."""

from __future__ import annotations

SCOPES = {
    "send events: publish, correct, kill, set lists": "إرسال الأحداث: النشر والتصحيح والسحب وترتيب القوائم",
    "see what became of events": "رؤية ما آلت إليه الأحداث",
    "search articles, see their revisions and who has them, preview them": (
        "البحث في المواد ورؤية مراجعاتها ومن لديه ماذا منها ومعاينتها"
    ),
    "hold, release and repeat articles, correct an embargo": "حجب المواد وإطلاقها وإرسالها ثانية وتصحيح الحظر",
    "kill articles": "سحب المواد",
    "read a partner's stream of articles, and acknowledge it": "قراءة تدفق مواد الشريك والإقرار باستلامه",
    "see curated lists": "رؤية القوائم المختارة",
    "set curated lists": "ترتيب القوائم المختارة",
    "see the definitions of feeds and how they stand": "رؤية تعريفات الخلاصات وحالها",
    "push or withdraw the past of a feed": "إرسال ما مضى من خلاصة أو إزالته",
    "read feeds that are private": "قراءة الخلاصات الخاصة",
    "see the newsroom's own formats": "رؤية صيغ غرفة الأخبار الخاصة",
    "create, change, try and remove the newsroom's own formats": (
        "إنشاء صيغ غرفة الأخبار الخاصة وتغييرها وتجربتها وإزالتها"
    ),
    "see partners": "رؤية الشركاء",
    "create, change and remove partners": "إنشاء الشركاء وتغييرهم وإزالتهم",
    "see endpoints, how they stand and what was sent to them": "رؤية نقاط التسليم وحالها وما أُرسل إليها",
    "pause, resume, test and retry endpoints, and replay to them": (
        "إيقاف نقاط التسليم واستئنافها واختبارها وتجربتها وإعادة الإرسال إليها"
    ),
    "create, change and remove endpoints, and rotate their secrets": (
        "إنشاء نقاط التسليم وتغييرها وإزالتها وتبديل أسرارها"
    ),
    "see WebSub subscriptions": "رؤية اشتراكات WebSub",
    "follow what happens as it happens": "متابعة ما يجري أولًا بأول",
    "see alarms, and whether their channels take them": "رؤية الإنذارات وهل تستلمها قنواتها",
    "acknowledge and snooze alarms": "تولّي الإنذارات وتأجيلها",
    "see keys (never the keys themselves)": "رؤية المفاتيح (لا نصها أبدًا)",
    "create and revoke keys, with no more than one has oneself": (
        "إنشاء المفاتيح وإلغاؤها، بما لا يزيد على ما يحق للمنشئ"
    ),
    "see who may sign in": "رؤية من يحق له الدخول",
    "say who may sign in, and with which role": "تحديد من يحق له الدخول وبأي دور",
    "read the audit": "قراءة سجل التدقيق",
}
