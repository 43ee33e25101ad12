"""Why something can't be done at the desk, in Arabic: what the API and the management answer (`arabic_reasons`)."""

from __future__ import annotations

_NOUNS = {
    "article": "مادة باسم",
    "attempt": "محاولة برقم",
    "endpoint": "نقطة تسليم باسم",
    "event": "حدث برقم",
    "feed": "خلاصة باسم",
    "format": "صيغة باسم",
    "key": "مفتاح برقم",
    "list": "قائمة باسم",
    "partner": "شريك باسم",
    "version": "إصدار برقم",
}
_PROBLEMS: dict[str, str] = {
    **{f"There is no {noun} {{name}}": f"لا توجد {arabic} {{name}}" for noun, arabic in _NOUNS.items()},
    "there is no removed endpoint {name}": "لا نقطة تسليم مُزالة باسم {name}",
    "there is no format {name} that is kept in the record": "ليست في السجل صيغة باسم {name}",
    "there is no link {link} of partner {name} that can be used": "لا رابط صالحًا برقم {link} للشريك {name}",
    **{f"there is no {noun} {{name}}": f"لا توجد {arabic} {{name}}" for noun, arabic in _NOUNS.items()},
    "there is nobody called {name}": "لا أحد بالاسم {name}",
    "this session has ended already": "انتهت هذه الجلسة من قبل",
    "no article {name} is known here, so nothing was killed": "لا تُعرف هنا مادة باسم {name}، فلم يُسحب شيء",
    "{name} lacks the scope {scope}": "ليس لدى {name} الحق {scope}",
    "{name} is killed; only the CMS can bring it back, by article.reinstated": (
        "{name} مسحوبة؛ لا يعيدها إلا نظام المحتوى بحدث article.reinstated"
    ),
    "{name} is not paused": "{name} ليست موقوفة",
    "{name} is paused already, or no worker has enrolled it yet": "{name} موقوفة من قبل أو لم يسجلها أي عامل بعد",
    "{name} is not enrolled: no worker has seen it yet": "{name} غير مسجلة: لم يرها أي عامل بعد",
    "{name} is read by its partner: nothing can be sent to it": "{name} يقرؤها شريكها: لا يُرسل إليها شيء",
    "endpoint {name} is of the settings file: change it there": "نقطة التسليم {name} من ملف الإعدادات: غيّرها فيه",
    "partner {name} has endpoints ({names}): remove them first": "للشريك {name} نقاط تسليم ({names}): أزلها أولًا",
    "there is a partner {name} already": "يوجد شريك باسم {name} من قبل",
    "there is somebody called {name} already": "يوجد شخص باسم {name} من قبل",
    "there is an endpoint {name} in the settings file: give this one another name": (
        "في ملف الإعدادات نقطة تسليم باسم {name}: أعط هذه اسمًا آخر"
    ),
    "there is an endpoint {name} in the settings file": "في ملف الإعدادات نقطة تسليم باسم {name}",
    "there is an endpoint {name} already": "توجد نقطة تسليم باسم {name} من قبل",
    "there is a format {name} already": "توجد صيغة باسم {name} من قبل",
    "must be a day": "يجب أن يكون يومًا",
    "must be a day and a time": "يجب أن يكون يومًا ووقتًا",
    "is no time that can be asked for": "ليس وقتًا يمكن السؤال عنه",
    "is not the same": "ليست هي نفسها",
    "has no word to look for": "ليس فيها كلمة يُبحث عنها",
    "must be {number} to {number2} characters long": "يجب أن يكون طولها من {number} إلى {number2} حرفًا",
    "must be {number} to {number2} hours": "يجب أن تكون من {number} إلى {number2} ساعة",
    "must be {number} to {number2} days": "يجب أن تكون من {number} إلى {number2} يومًا",
    "must be 1 to 128 lower-case letters, digits and . _ @ + -, at its ends no sign": (
        "يجب أن يكون من 1 إلى 128 من الحروف اللاتينية الصغيرة والأرقام و. _ @ + -، ولا علامة في طرفيه"
    ),
    "Input should be greater than or equal to {number}": "يجب ألا يقل عن {number}",
    "Input should be less than or equal to {number}": "يجب ألا يزيد على {number}",
    "Input should be a valid number, unable to parse string as a number": "يجب أن يكون عددًا",
    "Input should be a valid integer, unable to parse string as an integer": "يجب أن يكون عددًا صحيحًا",
    "there is no feed {name}": "لا توجد خلاصة باسم {name}",
    "there is no feed {name}; known: {names}": "لا توجد خلاصة باسم {name}؛ المعروفة: {names}",
    "Name one of since, article and parked": "اختر واحدًا: منذ متى، أو مادة، أو المركون",
    "Nothing was ever sent to {name} again": "لم يُعد إرسال شيء إلى {name} قط",
}
REASONS_OF_PROBLEMS = {f"{english}.": f"{arabic}." for english, arabic in _PROBLEMS.items()} | _PROBLEMS
"""With a full stop, as the API answers, and without."""
