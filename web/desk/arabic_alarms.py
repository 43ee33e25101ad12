"""The words of alarms in Arabic."""

from __future__ import annotations

ALARMS: dict[str, str] = {
    "Alarms": "الإنذارات",
    "No alarm stands.": "لا إنذار قائم.",
    "Kill not proven": "سحب لم يثبت",
    "Endpoint takes nothing": "نقطة تسليم لا تستلم شيئًا",
    "Endpoint lags": "نقطة تسليم متأخرة",
    "Events are not carried out": "أحداث لا تُنفَّذ",
    "Worker lost": "عامل مفقود",
    "Record does not answer": "السجل لا يستجيب",
    "Certificate ends soon": "شهادة تنتهي قريبًا",
    "Subscriptions end soon": "اشتراكات تنتهي قريبًا",
    "Alarm channel takes nothing": "قناة إنذار لا تستلم شيئًا",
    "acknowledged by {name}": "تولّاها {name}",
    "snoozed until": "مؤجلة حتى",
    "Acknowledge": "أتولّاها",
    "Acknowledge all of these": "أتولّاها كلها",
    "Snooze for an hour": "أجّل ساعة",
    "Snooze all of these for an hour": "أجّلها كلها ساعة",
    "Channels": "القنوات",
    "it takes alarms": "تستلم الإنذارات",
    "it takes no alarms since": "لا تستلم الإنذارات منذ",
    "All alarms": "كل الإنذارات",
    "Somebody takes care of it.": "هناك من يتولّاها.",
    "It rests for an hour.": "تُؤجَّل ساعة.",
}
