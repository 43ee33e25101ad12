"""Why something failed, in Arabic: our own reasons, and those of libcurl that are frequent.

English, as it is kept, with places for what differs -> Arabic. The first that is like a text counts.
"""

from __future__ import annotations

REASONS: dict[str, str] = {
    # The answer
    "answered {status}": "أجاب: {status}",
    "no answer in time": "لا جواب في الوقت المحدد",
    "its name has no address": "لا عنوان لاسمه",
    "no connection": "تعذّر الاتصال",
    "no secure connection": "تعذّر الاتصال الآمن",
    "the connection broke before the answer was whole": "انقطع الاتصال قبل اكتمال الجواب",
    "the answer is not HTTP": "الجواب ليس HTTP",
    "the request can't be sent as it stands": "لا يمكن إرسال الطلب بحاله",
    "the head of the answer is too long": "ترويسة الجواب أطول من اللازم",
    "it failed": "فشل الأمر",
    "it failed: {name}": "فشل الأمر: {name}",
    "{reason} (error {number} of libcurl)": "{reason} (الخطأ {number} من libcurl)",
    "too many requests to slow receivers are waiting": "طلبات كثيرة إلى متلقين بطيئين ما زالت تنتظر",
    "the address {address} is not allowed": "العنوان {address} غير مسموح به",
    "the connection for the data was cut: {number} of {number2} bytes are there": (
        "انقطع اتصال البيانات: وصل {number} من {number2} بايت"
    ),
    # libcurl's own words
    "Failed to connect to {host} port {number} after {number2} ms: {reason}": (
        "تعذّر الاتصال بـ {host} على المنفذ {number} بعد {number2} ملي ثانية: {reason}"
    ),
    "Could not connect to server": "تعذّر الاتصال بالخادم",
    "Couldn't connect to server": "تعذّر الاتصال بالخادم",
    "Connection refused": "رُفض الاتصال",
    "Could not resolve host: {host}": "لا عنوان للاسم {host}",
    "Operation timed out after {number} milliseconds with {number2} bytes received": (
        "انتهى الوقت بعد {number} ملي ثانية ووصل {number2} بايت"
    ),
    "Operation timed out after {number} milliseconds with {number2} out of {number3} bytes received": (
        "انتهى الوقت بعد {number} ملي ثانية ووصل {number2} من {number3} بايت"
    ),
    "Connection timed out after {number} milliseconds": "انتهى وقت الاتصال بعد {number} ملي ثانية",
    "Resolving timed out after {number} milliseconds": "انتهى وقت البحث عن العنوان بعد {number} ملي ثانية",
    "SSL connection timeout": "انتهى وقت الاتصال الآمن",
    "Recv failure: {reason}": "انقطع الاستلام: {reason}",
    "Send failure: {reason}": "انقطع الإرسال: {reason}",
    "Connection reset by peer": "قطع الطرف الآخر الاتصال",
    "Broken pipe": "انقطع الاتصال",
    "Empty reply from server": "جواب فارغ من الخادم",
    "SSL certificate problem: {reason}": "مشكلة في شهادة الخادم: {reason}",
    "self-signed certificate": "شهادة وقّعها صاحبها",
    "self signed certificate": "شهادة وقّعها صاحبها",
    "certificate has expired": "انتهت صلاحية الشهادة",
    "unable to get local issuer certificate": "جهة إصدار الشهادة غير معروفة",
    # How an endpoint stands
    "no success for {number} days; at last {reason}": "لا نجاح منذ {number} يوم؛ وآخر سبب: {reason}",
    "suspended: {reason}": "أُوقفت: {reason}",
    "no worker has seen it yet": "لم يرها أي عامل بعد",
    "by a person": "بأمر شخص",
    "it was removed": "أُزيلت",
    "its record is damaged": "سجلها تالف",
    "kept back by the gate: {words}": "حجبتها بوابة الجودة: {words}",
    "it is no longer an endpoint of this feed": "لم تعد نقطة تسليم لهذه الخلاصة",
    "{number} up to date, {number2} behind": "{number} محدَّثون، {number2} متأخرون",
    "{reason}, {number} times while others were taken; tried again at {time}": (
        "{reason}، {number} مرة بينما استُلمت غيرها؛ تُعاد المحاولة في {time}"
    ),
    # What was seen of a page after a kill
    "its page was not looked at yet": "لم تُفحص صفحته بعد",
    "gone from {url} at {time} UTC: {reason}": "أُزيلت من {url} في {time} UTC: {reason}",
    "gone at {time} UTC: {reason}": "أُزيلت في {time} UTC: {reason}",
    "text still at {url} at {time} UTC: {reason}": "ما زال النص في {url} في {time} UTC: {reason}",
    "text still there at {time} UTC: {reason}": "ما زال النص هناك في {time} UTC: {reason}",
    "not proven gone from {url} at {time} UTC: {reason}": "لم تثبت إزالتها من {url} في {time} UTC: {reason}",
    "not proven gone at {time} UTC: {reason}": "لم تثبت إزالتها في {time} UTC: {reason}",
    "the page has none of the text": "ليس في الصفحة شيء من النص",
    "the page has {number} of {number2} passages that were looked for": (
        "في الصفحة {number} من {number2} مقطع جرى البحث عنه"
    ),
    "the page is longer than the {number} bytes that are read": "الصفحة أطول من {number} بايت تُقرأ",
    "the article was too short to be recognised": "المادة أقصر من أن تُعرف",
    # Alarms
    "it takes nothing since {time}": "لا تستلم شيئًا منذ {time}",
    "an article waits since {time}": "مادة تنتظر منذ {time}",
    "it was heard of last at {time}": "آخر خبر عنه في {time}",
    "it takes no alarms since {time}: {reason}": "لا تستلم الإنذارات منذ {time}: {reason}",
    "{number} of {number2} receivers have not confirmed it": "لم يؤكدها {number} من {number2} متلقٍّ",
    "{number} subscription(s) end soon and were not renewed": "{number} اشتراك ينتهي قريبًا ولم يُجدَّد",
    "it ends at {time}": "تنتهي في {time}",
}
