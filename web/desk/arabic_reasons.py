"""Why something failed, in Arabic: our own reasons, and those of libcurl that are frequent.

English, as it is kept, with places for what differs -> Arabic. The first that is like a text counts. Of what is counted
by `number`, it has a phrase for each kind of number.
"""

from __future__ import annotations

from web.desk.plurals import Forms

_TIMES = Forms(
    zero="{reason} بينما استُلمت غيرها؛ تُعاد المحاولة في {time}",
    one="{reason}، مرة واحدة بينما استُلمت غيرها؛ تُعاد المحاولة في {time}",
    two="{reason}، مرتين بينما استُلمت غيرها؛ تُعاد المحاولة في {time}",
    few="{reason}، {number} مرات بينما استُلمت غيرها؛ تُعاد المحاولة في {time}",
    many="{reason}، {number} مرة بينما استُلمت غيرها؛ تُعاد المحاولة في {time}",
    other="{reason}، {number} مرة بينما استُلمت غيرها؛ تُعاد المحاولة في {time}",
)
_PASSAGES = Forms(
    zero="ليس في الصفحة شيء مما جرى البحث عنه",
    one="في الصفحة المقطع الوحيد الذي جرى البحث عنه",
    two="في الصفحة {number2} من مقطعين جرى البحث عنهما",
    few="في الصفحة {number2} من {number} مقاطع جرى البحث عنها",
    many="في الصفحة {number2} من {number} مقطعًا جرى البحث عنه",
    other="في الصفحة {number2} من {number} مقطع جرى البحث عنه",
)
_UNCONFIRMED = Forms(
    zero="أكدها كل المتلقين",
    one="لم يؤكدها المتلقي الوحيد",
    two="لم يؤكدها {number2} من متلقّيَين",
    few="لم يؤكدها {number2} من {number} متلقّين",
    many="لم يؤكدها {number2} من {number} متلقّيًا",
    other="لم يؤكدها {number2} من {number} متلقٍّ",
)
_LEASES = Forms(
    zero="لا اشتراك ينتهي قريبًا",
    one="اشتراك واحد ينتهي قريبًا ولم يُجدَّد",
    two="اشتراكان ينتهيان قريبًا ولم يُجدَّدا",
    few="{number} اشتراكات تنتهي قريبًا ولم تُجدَّد",
    many="{number} اشتراكًا ينتهي قريبًا ولم يُجدَّد",
    other="{number} اشتراك ينتهي قريبًا ولم يُجدَّد",
)
REASONS: dict[str, str | Forms] = {
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
    "the connection for the data was cut after {number2} of {number} bytes": Forms(
        zero="انقطع اتصال البيانات بعد {number2} من {number} بايت",
        one="انقطع اتصال البيانات بعد {number2} من بايت واحد",
        two="انقطع اتصال البيانات بعد {number2} من بايتين",
        few="انقطع اتصال البيانات بعد {number2} من {number} بايتات",
        many="انقطع اتصال البيانات بعد {number2} من {number} بايتًا",
        other="انقطع اتصال البيانات بعد {number2} من {number} بايت",
    ),
    # libcurl's own words
    "Failed to connect to {host} port {number} after {number2} ms: {reason}": (
        "تعذّر الاتصال بـ {host} على المنفذ {number} بعد {number2} ملي ث: {reason}"
    ),
    "Could not connect to server": "تعذّر الاتصال بالخادم",
    "Couldn't connect to server": "تعذّر الاتصال بالخادم",
    "Connection refused": "رُفض الاتصال",
    "Could not resolve host: {host}": "لا عنوان للاسم {host}",
    "Operation timed out after {number2} milliseconds with {number} bytes received": Forms(
        zero="انتهى الوقت بعد {number2} ملي ث ولم يصل شيء",
        one="انتهى الوقت بعد {number2} ملي ث ووصل بايت واحد",
        two="انتهى الوقت بعد {number2} ملي ث ووصل بايتان",
        few="انتهى الوقت بعد {number2} ملي ث ووصلت {number} بايتات",
        many="انتهى الوقت بعد {number2} ملي ث ووصل {number} بايتًا",
        other="انتهى الوقت بعد {number2} ملي ث ووصل {number} بايت",
    ),
    "Operation timed out after {number2} milliseconds with {number3} out of {number} bytes received": Forms(
        zero="انتهى الوقت بعد {number2} ملي ث ووصل {number3} من {number} بايت",
        one="انتهى الوقت بعد {number2} ملي ث ووصل {number3} من بايت واحد",
        two="انتهى الوقت بعد {number2} ملي ث ووصل {number3} من بايتين",
        few="انتهى الوقت بعد {number2} ملي ث ووصل {number3} من {number} بايتات",
        many="انتهى الوقت بعد {number2} ملي ث ووصل {number3} من {number} بايتًا",
        other="انتهى الوقت بعد {number2} ملي ث ووصل {number3} من {number} بايت",
    ),
    "Connection timed out after {number} milliseconds": "انتهى وقت الاتصال بعد {number} ملي ث",
    "Resolving timed out after {number} milliseconds": "انتهى وقت البحث عن العنوان بعد {number} ملي ث",
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
    "no success for {number} days; at last {reason}": Forms(
        zero="لا نجاح منذ أقل من يوم؛ وآخر سبب: {reason}",
        one="لا نجاح منذ يوم واحد؛ وآخر سبب: {reason}",
        two="لا نجاح منذ يومين؛ وآخر سبب: {reason}",
        few="لا نجاح منذ {number} أيام؛ وآخر سبب: {reason}",
        many="لا نجاح منذ {number} يومًا؛ وآخر سبب: {reason}",
        other="لا نجاح منذ {number} يوم؛ وآخر سبب: {reason}",
    ),
    "suspended: {reason}": "أُوقفت: {reason}",
    "no worker has seen it yet": "لم يرها أي عامل بعد",
    "by a person": "بأمر شخص",
    "it was removed": "أُزيلت",
    "its record is damaged": "سجلها تالف",
    "kept back by the gate: {words}": "حجبتها بوابة الجودة: {words}",
    "it is no longer an endpoint of this feed": "لم تعد نقطة تسليم لهذه الخلاصة",
    "{number} up to date, {number2} behind": "المحدَّثون: {number}، المتأخرون: {number2}",
    "{reason}, {number} time while others were taken; tried again at {time}": _TIMES,
    "{reason}, {number} times while others were taken; tried again at {time}": _TIMES,
    # What was seen of a page after a kill
    "its page was not looked at yet": "لم تُفحص صفحته بعد",
    "gone from {url} at {time} UTC: {reason}": "أُزيلت من {url} في {time} UTC: {reason}",
    "gone at {time} UTC: {reason}": "أُزيلت في {time} UTC: {reason}",
    "text still at {url} at {time} UTC: {reason}": "ما زال النص في {url} في {time} UTC: {reason}",
    "text still there at {time} UTC: {reason}": "ما زال النص هناك في {time} UTC: {reason}",
    "not proven gone from {url} at {time} UTC: {reason}": "لم تثبت إزالتها من {url} في {time} UTC: {reason}",
    "not proven gone at {time} UTC: {reason}": "لم تثبت إزالتها في {time} UTC: {reason}",
    "the page has none of the text": "ليس في الصفحة شيء من النص",
    "the page has {number2} of {number} passage that was looked for": _PASSAGES,
    "the page has {number2} of {number} passages that were looked for": _PASSAGES,
    "the page is longer than the {number} bytes that are read": "الصفحة أطول من {number} بايت تُقرأ",
    "the article was too short to be recognised": "المادة أقصر من أن تُعرف",
    # Alarms
    "it takes nothing since {time}": "لا تستلم شيئًا منذ {time}",
    "an article waits since {time}": "مادة تنتظر منذ {time}",
    "it was heard of last at {time}": "آخر خبر عنه في {time}",
    "it takes no alarms since {time}: {reason}": "لا تستلم الإنذارات منذ {time}: {reason}",
    "not confirmed by {number2} of {number} receiver": _UNCONFIRMED,
    "not confirmed by {number2} of {number} receivers": _UNCONFIRMED,
    "{number} subscription ends soon and was not renewed": _LEASES,
    "{number} subscriptions end soon and were not renewed": _LEASES,
    "it ends at {time}": "تنتهي في {time}",
}
