"""Why files, mails, messages of brokers and objects did not arrive, in Arabic. As in `arabic_reasons`.

They stand before those: what is more particular counts.
"""

from __future__ import annotations

REASONS_OF_DESTINATIONS: dict[str, str] = {
    # Connections of any kind
    "no connection: {reason}": "تعذّر الاتصال: {reason}",
    "no secure connection: {reason}": "تعذّر الاتصال الآمن: {reason}",
    "the connection broke: {reason}": "انقطع الاتصال: {reason}",
    "the connection broke": "انقطع الاتصال",
    "[Errno {number}] {reason}": "{reason} (الخطأ {number})",
    "Failed to connect to {host} after {number} ms: {reason}": ("تعذّر الاتصال بـ {host} بعد {number} ملي ث: {reason}"),
    "Connection timed out": "انتهى وقت الاتصال",
    "No route to host": "لا طريق إلى الخادم",
    "Network is unreachable": "الشبكة غير متاحة",
    "Connection unexpectedly closed": "أُغلق الاتصال فجأة",
    "the name {host} has no address": "لا عنوان للاسم {host}",
    "no address for {host}: {reason}": "لا عنوان للاسم {host}: {reason}",
    "no socket could be opened: {reason}": "تعذّر فتح اتصال: {reason}",
    "not started: {reason}": "لم يبدأ: {reason}",
    "it is out of date": "فات أوانه",
    "not sent: it is out of date": "لم يُرسل: فات أوانه",
    "answered {status} with nothing that can be read": "أجاب {status} بما لا يُقرأ",
    # Files
    "the server has no room": "لا مكان على الخادم",
    "the server has no room: {reason}": "لا مكان على الخادم: {reason}",
    "the server does not let us do that": "لا يسمح الخادم بذلك",
    "the server does not let us do that: {reason}": "لا يسمح الخادم بذلك: {reason}",
    "the server takes no such file": "لا يقبل الخادم هذا الملف",
    "the server takes no such file: {reason}": "لا يقبل الخادم هذا الملف: {reason}",
    "the server has such a file": "على الخادم ملف بهذا الاسم",
    "the server has such a file: {reason}": "على الخادم ملف بهذا الاسم: {reason}",
    "the server refuses a command": "رفض الخادم أمرًا",
    "the server refuses a command: {reason}": "رفض الخادم أمرًا: {reason}",
    "the server has no such file or folder": "ليس على الخادم ملف أو مجلد بهذا الاسم",
    "the server has no such file or folder: {reason}": "ليس على الخادم ملف أو مجلد بهذا الاسم: {reason}",
    "the server can't just now": "لا يستطيع الخادم الآن",
    "the server can't just now: {reason}": "لا يستطيع الخادم الآن: {reason}",
    "no connection for the data": "تعذّر اتصال البيانات",
    "no connection for the data: {reason}": "تعذّر اتصال البيانات: {reason}",
    "the server answers otherwise than FTP has it": "يجيب الخادم بغير ما في بروتوكول FTP",
    "the server answers otherwise than FTP has it: {reason}": "يجيب الخادم بغير ما في بروتوكول FTP: {reason}",
    "the server does not let us in": "لا يسمح لنا الخادم بالدخول",
    "the server does not let us in: {reason}": "لا يسمح لنا الخادم بالدخول: {reason}",
    "the connection broke, or the server failed (a full disk or quota?)": (
        "انقطع الاتصال أو تعثّر الخادم (قرص ممتلئ أو حصة مستنفدة؟)"
    ),
    "the connection broke, or the server failed (a full disk or quota?): {reason}": (
        "انقطع الاتصال أو تعثّر الخادم (قرص ممتلئ أو حصة مستنفدة؟): {reason}"
    ),
    "no session": "تعذّر بدء الجلسة",
    "no session: {reason}": "تعذّر بدء الجلسة: {reason}",
    "the server's host key is not the one that we know": "مفتاح الخادم ليس المفتاح الذي نعرفه",
    "the server's host key is not the one that we know{shown}": "مفتاح الخادم ليس المفتاح الذي نعرفه{shown}",
    "the server closes the connection for the data without the end that TLS wants (RFC 8446, section 6.1)": (
        "أغلق الخادم اتصال البيانات دون النهاية التي يوجبها TLS (RFC 8446، القسم 6.1)"
    ),
    "none of its files lies there": "لا ملف لها هناك",
    "no object has any text of it": "لا شيء من نصها في أي كائن",
    # Mail
    "it offers no STARTTLS: nothing is sent unencrypted": "لا يعرض STARTTLS: لا يُرسل شيء دون تشفير",
    "it lets nobody sign in, and a username is set": "لا يقبل تسجيل دخول، وفي الإعدادات اسم مستخدم",
    "connection refused: {words}": "رُفض الاتصال: {words}",
    "sign-in refused: {words}": "رُفض تسجيل الدخول: {words}",
    "greeting refused: {words}": "رُفضت التحية: {words}",
    "STARTTLS refused: {words}": "رُفض STARTTLS: {words}",
    "the server answers otherwise than SMTP has it": "يجيب الخادم بغير ما في بروتوكول SMTP",
    "it lets nobody sign in by a password, only by {words}": "لا يتيح تسجيل الدخول بكلمة مرور، بل بهذا فقط: {words}",
    "sender refused: {words}": "رُفض المرسِل: {words}",
    "mail refused: {words}": "رُفض البريد: {words}",
    "{address} refused: {words}": "رُفض {address}: {words}",
    # Brokers
    "the broker refuses us: {words}": "يرفضنا الوسيط: {words}",
    "the broker did not keep it: its queue is full": "لم يحفظها الوسيط: طابوره ممتلئ",
    "the broker takes nothing for now: {words}": "لا يستلم الوسيط شيئًا الآن: {words}",
    "the broker answers: {words}": "أجاب الوسيط: {words}",
    "no queue gets it: {words}": "لا طابور يستلمها: {words}",
    "it does not speak AMQP: {words}": "لا يتكلم بروتوكول AMQP: {words}",
    "the cluster refuses us: {words}": "يرفضنا العنقود: {words}",
    "its certificates can't be used: {words}": "لا يمكن استعمال شهاداته: {words}",
    "it does not speak Kafka's protocol: {words}": "لا يتكلم بروتوكول Kafka: {words}",
    "not acknowledged: {words}": "لم يُقرّ بها: {words}",
    "refused: {words}": "رُفضت: {words}",
    "{host} has no address": "لا عنوان للاسم {host}",
}
