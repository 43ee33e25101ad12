"""Which encoding a web page is in: the labels of the Encoding Standard, and the places where a page names its own.

Sources: Encoding Standard (WHATWG), section 4.2 "Names and labels" and section 6 "decode"; HTML Living Standard,
"Determining the character encoding". As in browsers, pages labelled latin-1 or ASCII are read as windows-1252, gb2312
as gb18030, and Shift_JIS as Microsoft's variant. Wrong bytes are replaced by U+FFFD, never left out.
"""

from __future__ import annotations

import codecs
import re

REPLACEMENT = "\ufffd"

# On each line: Python's name of the encoding, the standard's name, and every label. Those that the standard replaces
# altogether (hz-gb-2312, iso-2022-kr and others) are missing, because text could be hidden in them.
_TABLE = """
    utf-8 utf-8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 x-unicode20utf8
    cp866 ibm866 866 cp866 csibm866
    iso8859-2 iso-8859-2 csisolatin2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2
    iso8859-3 iso-8859-3 csisolatin3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3
    iso8859-4 iso-8859-4 csisolatin4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4
    iso8859-5 iso-8859-5 csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988
    iso8859-6 iso-8859-6 arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6-e iso-8859-6-i \
      iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987
    iso8859-7 iso-8859-7 csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso8859-7 iso88597 iso_8859-7 \
      iso_8859-7:1987 sun_eu_greek
    iso8859-8 iso-8859-8 csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 \
      iso_8859-8:1988 visual
    iso8859-8 iso-8859-8-i csiso88598i logical
    iso8859-10 iso-8859-10 csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6
    iso8859-13 iso-8859-13 iso8859-13 iso885913
    iso8859-14 iso-8859-14 iso8859-14 iso885914
    iso8859-15 iso-8859-15 csisolatin9 iso8859-15 iso885915 iso_8859-15 l9
    iso8859-16 iso-8859-16
    koi8-r koi8-r cskoi8r koi koi8 koi8_r
    koi8-u koi8-u koi8-ru
    mac-roman macintosh csmacintosh mac x-mac-roman
    cp874 windows-874 dos-874 iso-8859-11 iso8859-11 iso885911 tis-620
    cp1250 windows-1250 cp1250 x-cp1250
    cp1251 windows-1251 cp1251 x-cp1251
    cp1252 windows-1252 ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 \
      iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii x-cp1252
    cp1253 windows-1253 cp1253 x-cp1253
    cp1254 windows-1254 cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 \
      latin5 x-cp1254
    cp1255 windows-1255 cp1255 x-cp1255
    cp1256 windows-1256 cp1256 x-cp1256
    cp1257 windows-1257 cp1257 x-cp1257
    cp1258 windows-1258 cp1258 x-cp1258
    mac-cyrillic x-mac-cyrillic x-mac-ukrainian
    gb18030 gbk chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 iso-ir-58 x-gbk
    gb18030 gb18030
    big5hkscs big5 big5-hkscs cn-big5 csbig5 x-x-big5
    euc_jp euc-jp cseucpkdfmtjapanese x-euc-jp
    iso2022_jp_ext iso-2022-jp csiso2022jp
    cp932 shift_jis csshiftjis ms932 ms_kanji shift-jis sjis windows-31j x-sjis
    cp949 euc-kr cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949
    utf-16-be utf-16be unicodefffe
    utf-16-le utf-16le csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16
    cp1252 x-user-defined
"""
_ENCODINGS = {
    label: encoding
    for encoding, *labels in map(str.split, _TABLE.replace("\\\n", " ").strip().splitlines())
    for label in labels
}
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PRESCANNED = 1024
"""Bytes within which a page should name its encoding (HTML Living Standard)."""
_HEAD = 64 * 1024
"""Bytes that are searched for it all the same: browsers look for it as far as the head goes."""
_XML = re.compile(rb"<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z0-9_:.-]{1,40})[\"']", re.IGNORECASE)
# A comment, the text of a script or a style, or a tag with its attributes.
_TOKEN = re.compile(
    rb"<!--.*?(?:-->|\Z)|<(script|style|title)\b.*?(?:</\1|\Z)|<meta(?=[\s/])((?:\"[^\"]*\"|'[^']*'|[^\"'>])*)>|</head|<body",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(rb"([a-z-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';]+)", re.IGNORECASE)


def python_name(label: str) -> str:
    """Return Python's name of the encoding with that label; empty for a label that is not in the standard."""
    return _ENCODINGS.get(label.strip("\t\n\f\r ").lower(), "")


def marked(content: bytes) -> tuple[str, int]:
    """Return the encoding that a byte order mark stands for, and the mark's length; ("", 0) where there is no mark."""
    return next(((encoding, len(mark)) for mark, encoding in _BOMS if content.startswith(mark)), ("", 0))


def without_mark(content: bytes) -> bytes:
    """Return the content without its byte order mark, if it has one."""
    return content[marked(content)[1] :]


def in_header(content_type: str) -> str:
    """Return the label that a Content-Type has; empty when it has none."""
    charset = _CHARSET.search(content_type.partition(";")[2])
    return charset[1] if charset else ""


def in_page(content: bytes) -> str:
    """Return the label of the encoding that an HTML page declares, in lower case; empty when it declares none."""
    if xml := _XML.match(content[:_PRESCANNED]):
        return _declared(xml[1])
    for token in _TOKEN.finditer(content[:_HEAD]):
        if token[2] is None:
            if token[0].lower().startswith((b"</head", b"<body")):
                break
            continue
        attributes = {
            name.lower(): double or single or bare for name, double, single, bare in _ATTRIBUTE.findall(token[2])
        }
        if charset := attributes.get(b"charset"):
            return _declared(charset)
        if attributes.get(b"http-equiv", b"").strip().lower() == b"content-type":
            in_content = _CHARSET.search(attributes.get(b"content", b"").decode("latin-1"))
            if in_content:
                return _declared(in_content[1].encode("latin-1"))
    return ""


def _declared(label: bytes) -> str:
    name = label.decode("latin-1").strip().lower()
    # A declaration that could be read as ASCII is not in UTF-16, whatever it says (the standard's own rule).
    return "utf-8" if python_name(name).startswith("utf-16") else name
