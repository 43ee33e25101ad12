"""Documents of others: what the standards of RSS, Atom and JSON Feed and their modules allow, and what they do not.

Each line is one feed that is good but for what it shows. The words are ours, the rules are those of the specifications.
"""

from __future__ import annotations

import json
import random
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds.validation.checks import check_feed
from feeds.validation.finding import Finding

SCHEMA = Path(__file__).parents[3] / "shared" / "schemas" / "atom" / "atom-rfc4287.rng"
_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "georss": "http://www.georss.org/georss",
    "thr": "http://purl.org/syndication/thread/1.0",
    "app": "http://www.w3.org/2007/app",
    "fh": "http://purl.org/syndication/history/1.0",
    "opensearch": "http://a9.com/-/spec/opensearch/1.1/",
    "cc": "http://backend.userland.com/creativeCommonsRssModule",
    "sx": "http://feedsync.org/2007/feedsync",
    "access": "http://www.bloglines.com/about/specs/fac-1.0",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "our": "https://quay.example/ns",
}
_DECLARED = " ".join(f'xmlns:{prefix}="{namespace}"' for prefix, namespace in _NAMESPACES.items())
_FRONT = "<title>Quay</title><link>https://quay.example/</link><description>News</description>"


def rss(channel: str = "", item: str = "<title>Cranes</title>", front: str = _FRONT, version: str = "2.0") -> str:
    return f'<rss version="{version}" {_DECLARED}><channel>{front}{channel}<item>{item}</item></channel></rss>'


_META = "<id>tag:quay.example,2026:f</id><title>Quay</title><updated>2026-01-01T00:00:00Z</updated>"
_AUTHOR = "<author><name>Lea Marsh</name></author>"
_ENTRY = (
    "<id>tag:quay.example,2026:e</id><title>Cranes</title><updated>2026-01-01T00:00:00Z</updated>"
    '<link href="https://quay.example/1"/>'
)


def atom(feed: str = "", entry: str = "<summary>s</summary>", meta: str = _META + _AUTHOR, base: str = _ENTRY) -> str:
    return f'<feed xmlns="{_NAMESPACES["atom"]}" {_DECLARED}>{meta}{feed}<entry>{base}{entry}</entry></feed>'


def faults(format_name: str, document: str) -> list[Finding]:
    return check_feed(format_name, document.encode())


def xhtml(inner: str) -> str:
    return f'<content type="xhtml">{inner}</content>'


XHTML = "http://www.w3.org/1999/xhtml"
DIV = f'<div xmlns="{XHTML}">'

GOOD_RSS = [
    rss(),
    rss(version="0.91"),
    rss(front="<title/><link>https://quay.example/</link><description/>"),
    rss(item="<description>without a title or a guid</description>"),
    rss(item="<title/>"),
    *(rss(f"<docs>{address}</docs>") for address in ("ftp://quay.example/", "mailto:desk@quay.example", "urn:isbn:1")),
    *(rss(f"<language>{tag}</language>") for tag in ("x-harbour", "i-klingon", "de-1901", "haw")),
    rss().replace("<channel>", "<access:restriction relationship='deny'/><channel>"),
    rss("<link xmlns='https://quay.example/ns'>of another vocabulary</link>"),
    rss("<link-list xmlns='https://quay.example/ns'><one/></link-list>"),
    *(
        rss(f"<pubDate>{date}</pubDate>")
        for date in (
            "Wed, 02 Oct 2024 08:00:00 EST",
            "Wed, 02 Oct 24 08:00 +0000",
            "2 oct 2024 08:00:00 z",
            "Wed,02 Oct 2024 08:00:00 A",
            "Wed (market day), 2 Oct(ober) 2024 08:00 GMT (by (the) clock)",
            "31 Dec 2016 23:59:60 GMT",
        )
    ),
    *(
        rss(f"<webMaster>{who}</webMaster>")
        for who in (
            "desk@quay.example",
            "desk@quay.example (Desk)",
            "mailto:Lea%20%3Cl%40quay.example%3E",
            "L, l@q.example",
        )
    ),
    rss("<category domain='Harbour'>a</category><category>a</category><ttl>60</ttl><language>pt-BR</language>"),
    rss("<skipHours><hour>1</hour><hour>24</hour></skipHours><skipDays><day>Monday</day></skipDays>"),
    rss(
        "<cloud domain='quay.example' port='80' path='/rpc' registerProcedure='x' protocol='soap'/>"
        "<image><url>https://quay.example/a.png</url><title>T</title><link>https://quay.example/</link>"
        "<width>144</width><height>400</height></image>"
        "<textInput><title>T</title><description>D</description><name>q</name><link>https://quay.example/</link></textInput>"
    ),
    rss(
        item="<title>T</title><enclosure url='http://quay.example/a.mp3' length='0' type='audio/mpeg'/>"
        "<enclosure url='http://quay.example/b.mp3' length='1' type='audio/mpeg; x=&quot;a b&quot;'/>"
        "<source url='https://quay.example/feed'>Quay</source><comments>https://quay.example/c</comments>"
        "<guid isPermaLink='false'>7</guid><author>l@quay.example</author><dc:creator>Lea</dc:creator>"
    ),
    rss(item="<content:encoded>a</content:encoded><description>after it</description>"),
    rss(item="<title>T</title><dc:date>2026-01</dc:date><dc:date.issued>2026-01-02T03:04Z</dc:date.issued>"),
    rss("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>"),
    rss("<opensearch:Query role='request' searchTerms='cranes'/><opensearch:Query role='our:next' startPage='2'/>"),
    rss(item="<title>T</title><slash:hit_parade>1,2, 3</slash:hit_parade><thr:total>0</thr:total>"),
    rss(item="<title>T</title><geo:Point><geo:lat>-90</geo:lat><geo:long>1.5</geo:long></geo:Point>"),
    rss(item="<title>T</title><georss:point>45.2 -71.9</georss:point><georss:line>1 2 3 4</georss:line>"),
    rss(
        item="<title>T</title><media:content url='http://quay.example/a.mp4' medium='video' duration='1.5'>"
        "<media:hash algo='md5'>0123456789abcdef0123456789abcdef</media:hash><media:rating>nonadult</media:rating>"
        "<media:restriction relationship='deny' type='country'>fr DE</media:restriction>"
        "<media:thumbnail url='http://quay.example/a.png' time='12:05:01.123'/></media:content>"
    ),
    *(
        rss(item=f"<title>T</title><media:{element}")
        for element in (
            "rating scheme='urn:icra'>r (cz 1 lz 1 nz 1)</media:rating>",
            "rating scheme='urn:mpaa'>pg-13</media:rating>",
            "rating scheme='urn:v-chip'>tv-y7</media:rating>",
            "rating scheme='https://quay.example/stars'>four</media:rating>",
            "credit role='author' scheme='urn:ebu'>Lea Marsh</media:credit>",
            "credit role='owner' scheme='urn:yvs'>quay</media:credit>",
            "restriction relationship='allow'>none</media:restriction>",
            "restriction relationship='deny'/>",
        )
    ),
    rss(
        "<itunes:category text='Arts'><itunes:category text='Books'/></itunes:category>"
        "<itunes:explicit>No</itunes:explicit>",
        "<title>T</title><itunes:duration>1:02:03</itunes:duration><itunes:episode>1</itunes:episode>",
    ),
    rss(
        item=f"<title>T</title><atom:summary type='xhtml'>{DIV}s</div></atom:summary>"
        f"<xh:body xmlns:xh='{XHTML}'><xh:p/></xh:body>"
    ),
    rss(
        "<atom:link rel='self' href='feed' type='application/rss+xml'/>"
        "<atom:author><atom:name>L</atom:name></atom:author>",
        "<title>T</title><atom:updated>2026-01-01T00:00:00Z</atom:updated><atom:rights>all</atom:rights>",
    ),
    f"<!-- first --><!DOCTYPE rss><rss version='2.0'><channel>{_FRONT}</channel></rss>",
]

BAD_RSS = [
    rss(front="<title>T</title><link>https://quay.example/</link>"),
    rss(front="<title>T</title><description>D</description>"),
    rss(front="<link>https://quay.example/</link><description>D</description>"),
    rss(version="2"),
    f"<rss><channel>{_FRONT}</channel></rss>",
    f"<rss version='2.0'><channel>{_FRONT}</channel><channel>{_FRONT}</channel></rss>",
    f"<rss version='2.0' xmlns='https://quay.example/ns'><channel>{_FRONT}</channel></rss>",
    '<rss version="2.0"/>',
    rss().replace("http://search.yahoo.com/mrss/", "http://search.yahoo.com/mrss"),
    f"<?xml version='1.1'?>{rss()}",
    *(rss(once + once) for once in ("<ttl>1</ttl>", "<docs>urn:isbn:1</docs>", "<copyright>c</copyright>")),
    *(rss(once + once) for once in ("<generator>g</generator>", "<language>en</language>", "<rating>r</rating>")),
    *(
        rss(item=f"<title>T</title>{once}{once.replace('7', '8')}")
        for once in (
            "<title>7</title>",
            "<description>7</description>",
            "<link>https://quay.example/7</link>",
            "<guid isPermaLink='false'>7</guid>",
            "<author>l@quay.example</author>",
            "<comments>https://quay.example/7</comments>",
            "<pubDate>2 Oct 2024 08:00 GMT</pubDate>",
            "<source url='https://quay.example/7'/>",
            "<content:encoded>7</content:encoded>",
            "<slash:comments>7</slash:comments>",
            "<dc:title>7</dc:title>",
            "<wfw:commentRss>https://quay.example/7</wfw:commentRss>",
            "<media:title>7</media:title>",
            "<itunes:explicit>true</itunes:explicit>",
        )
    ),
    *(
        rss(f"<docs>{address}</docs>")
        for address in (
            "",
            "quay",
            "/feed",
            "http:/quay",
            "http://quay.example/a b",
            "https://ünder.example/",
            "urn:u",
        )
    ),
    *(
        rss(f"<pubDate>{date}</pubDate>")
        for date in (
            "",
            "2024-10-02T08:00:00Z",
            "Wed, 02 Oct 2024 08:00:00",
            "Wed, 02 Oct 2024 08:00:00 -05:00",
            "Thu, 02 Oct 2024 08:00:00 GMT",
            "Wednesday, 02 Oct 2024 08:00:00 GMT",
            "Wed, 32 Oct 2024 08:00:00 GMT",
            "Wed, 02 October 2024 08:00:00 GMT",
            "Wed, 02 Oct 2024 08:00:00 J",
        )
    ),
    *(rss(f"<managingEditor>{who}</managingEditor>") for who in ("", "Lea Marsh", "lea at quay.example", "@quay")),
    *(rss(f"<ttl>{ttl}</ttl>") for ttl in ("", "0", "-1", "1.5", "an hour", "٦٠", "٦" * 5000)),
    *(rss(f"<language>{language}</language>") for language in ("", "english", "en_GB", "zz", "e", "x", "x-")),
    rss("<access:restriction relationship='deny'/>"),
    rss().replace("<channel>", "<access:restriction relationship='never'/><channel>"),
    *(
        rss(f"<skipHours>{hours}</skipHours>")
        for hours in (
            "",
            "<hour>25</hour>",
            "<hour>-1</hour>",
            "<hour>1</hour><hour>01</hour>",
            "<hour>0</hour><hour>24</hour>",
            "<day>Monday</day>",
        )
    ),
    *(rss(f"<skipDays>{days}</skipDays>") for days in ("", "<day>Mon</day>", "<day>Monday</day><day>Monday</day>")),
    rss("<cloud domain='quay.example' port='80' path='/rpc' registerProcedure='x'/>"),
    rss("<cloud domain='quay.example' port='0' path='/rpc' registerProcedure='x' protocol='soap'/>"),
    rss("<image><url>https://quay.example/a.png</url><title>T</title></image>"),
    rss("<image><url>a.png</url><title>T</title><link>https://quay.example/</link></image>"),
    *(
        rss(
            "<image><url>https://quay.example/a.png</url><title>T</title><link>https://quay.example/</link>"
            f"{size}</image>"
        )
        for size in (
            "<width>145</width>",
            f"<width>{'9' * 5000}</width>",
            "<height>401</height>",
            "<width>0</width>",
            "<height>tall</height>",
            "stray",
        )
    ),
    rss("<textInput><title>T</title><description>D</description><link>https://quay.example/</link></textInput>"),
    rss("<textInput><title>T</title><description>D</description><name>q</name><link>search</link></textInput>"),
    rss("<textinput/>"),
    *(
        rss(item=f"<title>T</title><enclosure {attributes}/>")
        for attributes in (
            "url='http://quay.example/a.mp3' type='audio/mpeg'",
            "url='http://quay.example/a.mp3' length='1'",
            "length='1' type='audio/mpeg'",
            "url='http://quay.example/a.mp3' length='' type='audio/mpeg'",
            "url='http://quay.example/a.mp3' length='-1' type='audio/mpeg'",
            "url='http://quay.example/a.mp3' length='1' type='audio'",
            "url='ftp://quay.example/a.mp3' length='1' type='audio/mpeg'",
        )
    ),
    rss(item="<title>T</title><guid>7</guid>"),
    rss(item="<title>T</title><guid isPermaLink='yes'>https://quay.example/1</guid>"),
    rss(item="<title>T</title><guid isPermalink='true'>https://quay.example/1</guid>"),
    rss(item="<title>T</title><guid>tag:quay.example,2026:1</guid>"),
    rss(
        item="<title>T</title><guid isPermaLink='false'>7</guid>"
        "</item><item><title>U</title><guid isPermaLink='false'>7</guid>"
    ),
    rss(item="<title>T</title><source>Quay</source>"),
    rss(item="<link>https://quay.example/</link>"),
    rss(item="<title>T</title><summary>no such element</summary>"),
    rss(item="<title>T</title>stray"),
    rss(item="<title>A <b>bold</b> one</title>"),
    rss(item="<title type='html'>T</title>"),
    rss("<headline>no such element</headline>"),
    rss("<our:list><one/></our:list>"),
    rss("<dc:author>no such element</dc:author>"),
    rss(item="<title>T</title><dc:date>yesterday</dc:date>"),
    rss(item="<title>T</title><dc:date>2026-01-02T03:04:05</dc:date>"),
    rss(item="<title>T</title><dcterms:modified>2026-13</dcterms:modified>"),
    rss("<dc:language>zz</dc:language>"),
    rss("<sy:updatePeriod>often</sy:updatePeriod>"),
    rss("<sy:updateFrequency>0</sy:updateFrequency>"),
    rss("<sy:updateBase>noon</sy:updateBase>"),
    rss("<itunes:duration>60</itunes:duration>"),
    rss("<itunes:category text='Ships'/>"),
    rss("<itunes:category text='Arts'><itunes:category text='Ships'/></itunes:category>"),
    rss("<itunes:owner><itunes:name>Lea</itunes:name></itunes:owner>"),
    rss("<itunes:image href='/a.png'/>"),
    rss(f"<itunes:subtitle>{'a' * 256}</itunes:subtitle>"),
    rss(item="<title>T</title><itunes:explicit> true </itunes:explicit>"),
    rss(item="<title>T</title><itunes:duration>2 minutes</itunes:duration>"),
    rss(item="<title>T</title><slash:comments>many</slash:comments>"),
    rss(item="<title>T</title><geo:lat>91</geo:lat>"),
    rss(item="<title>T</title><georss:point>45.2</georss:point>"),
    *(
        rss(item=f"<title>T</title><media:{element}/>")
        for element in (
            "content url='a.mp4'",
            "content url='http://quay.example/a.mp4' medium='film'",
            "content url='http://quay.example/a.mp4' height='tall'",
            "content url='http://quay.example/a.mp4' type='video'",
            "thumbnail width='1'",
            "player height='1'",
            "credit role='harbour master'",
            "rating scheme='urn:simple'",
            "rating scheme='stars'",
            "credit role='owner' scheme='quay'",
            "restriction relationship='never'",
            "text type='markdown'",
            "film",
        )
    ),
    rss(item="<title>T</title><media:hash algo='md5'>0123</media:hash>"),
    rss(item="<title>T</title><media:group><media:content url='http://quay.example/a.mp4'/></media:group>"),
    rss(item="<title>T</title><atom:link rel='related'/>"),
    rss(item="<title>T</title><atom:link rel='related' href='/a'><note>of no vocabulary</note></atom:link>"),
    rss(item="<title>T</title><atom:updated>yesterday</atom:updated>"),
    rss("<sx:sharing since='2026-01-01T00:00:00Z'/>"),
    rss("<opensearch:totalResults>many</opensearch:totalResults>"),
    rss("<opensearch:Query searchTerms='cranes'/>"),
    rss("<opensearch:Query role='question' searchTerms='cranes'/>"),
    rss("<cc:license>free</cc:license>"),
    rss(item="<title>T</title>&nbsp;"),
]

GOOD_ATOM = [
    atom(),
    atom(meta=_META).replace("</entry>", f"{_AUTHOR}</entry>"),
    atom(meta=_META).replace("</entry>", f"<source>{_AUTHOR}</source></entry>"),
    f'<feed xmlns="{_NAMESPACES["atom"]}">{_META}</feed>',
    f'<entry xmlns="{_NAMESPACES["atom"]}">{_ENTRY}{_AUTHOR}</entry>',
    f'<a:entry xmlns:a="{_NAMESPACES["atom"]}">{_ENTRY}{_AUTHOR}</a:entry>'.replace("</", "</a:")
    .replace("<a:a:", "<a:")
    .replace("</a:a:", "</a:")
    .replace("<id", "<a:id")
    .replace("<title", "<a:title")
    .replace("<updated", "<a:updated")
    .replace("<link", "<a:link")
    .replace("<author", "<a:author")
    .replace("<name", "<a:name"),
    atom().replace("<feed ", '<feed xml:base="https://quay.example/" xml:lang="" '),
    atom("<link rel='self' href='feed.atom'/><icon>/favicon.ico</icon><logo/>"),
    atom(entry="<link rel='related' href='//quay.example/ünïcode'/><summary/>"),
    atom(entry=f"<summary>s</summary></entry><entry>{_ENTRY.replace('2026-01-01', '2026-01-02')}"),
    atom("<link href='https://quay.example/' hreflang='en'/><link href='https://quay.example/fr' hreflang='fr'/>"),
    atom("<link rel='related' href='/a' rdf:type='/t'>text <our:terms rdf:type='/b'/><dc:title>t</dc:title></link>"),
    atom(entry="<category term='t'><our:weight>3</our:weight><weight xmlns=''/></category><summary>s</summary>"),
    atom("<access:restriction relationship='allow'/>"),
    atom().replace("<entry>", "<entry rdf:parseType='Resource'>"),
    atom("<contributor><name>Lea</name><home xmlns='https://quay.example/ns' rdf:resource='/l'/></contributor>"),
    atom(entry="<content type='application/atom+xml'><feed xmlns='http://www.w3.org/2005/Atom'/></content>"),
    atom("<link rel='desk' href='a'/><link rel='related' href='a'/><link rel='related' href='a'/>"),
    atom(entry="<updated-by xmlns=''>of no vocabulary</updated-by>"),
    atom(
        entry="<category term='' scheme='https://quay.example/ü' label='L'/>"
        "<contributor><name/><uri>/l</uri></contributor>"
    ),
    atom(entry=f"{xhtml(f'{DIV}A <b>bold</b> text</div>')}"),
    atom(f"<subtitle type='xhtml'>{DIV}A <i>slanted</i> text</div></subtitle>"),
    atom(entry=f"<summary type='xhtml'>{DIV}s</div></summary><rights type='xhtml'>\n{DIV}r</div>\n</rights>"),
    atom(base=_ENTRY.replace("<title>Cranes", f"<title type='xhtml'>{DIV}Cranes</div>")),
    atom(entry=f"<content type='xhtml'>{DIV}<svg xmlns='http://www.w3.org/2000/svg'><g/></svg></div></content>"),
    atom(entry=f"<a:summary xmlns:a='{_NAMESPACES['atom']}' xml:lang='fr' our:x='1'>s</a:summary>"),
    atom(
        entry="<georss:where><gml:Point xmlns:gml='http://www.opengis.net/gml'>"
        "<gml:pos>1.5 -2 3</gml:pos></gml:Point></georss:where>"
    ),
    atom(entry="<content type='html'>&lt;p>A&lt;/p></content><rights type='text'>all</rights>"),
    atom(entry="<content src='/film.mp4' type='video/mp4'/><summary>s</summary>"),
    atom(entry="<content type='image/png'>iVBORw0KGgo=\n</content><summary>s</summary>"),
    atom(entry="<content type='image/svg+xml'><svg xmlns='http://www.w3.org/2000/svg'/></content>"),
    atom(entry="<published>2026-01-01T00:00:60.25+05:30</published>"),
    atom(
        entry="<thr:in-reply-to ref='tag:quay.example,2026:0' href='/0'/><link rel='replies' href='/r' thr:count='3'/>"
    ),
    atom(entry="<app:edited>2026-01-01T00:00:00Z</app:edited><app:control><app:draft>no</app:draft></app:control>"),
    atom("<fh:complete/><generator uri='/g' version='1'/><dc:creator>Lea</dc:creator><dc:creator>Ana</dc:creator>"),
]

BAD_ATOM = [
    atom(meta=_META),
    *(
        atom(meta=_META.replace(part, "") + _AUTHOR)
        for part in (
            "<id>tag:quay.example,2026:f</id>",
            "<title>Quay</title>",
            "<updated>2026-01-01T00:00:00Z</updated>",
        )
    ),
    *(
        atom(base=_ENTRY.replace(part, ""))
        for part in (
            "<id>tag:quay.example,2026:e</id>",
            "<title>Cranes</title>",
            "<updated>2026-01-01T00:00:00Z</updated>",
            '<link href="https://quay.example/1"/>',
        )
    ),
    atom().replace(_NAMESPACES["atom"], "http://purl.org/atom/ns#"),
    atom().replace(f'xmlns="{_NAMESPACES["atom"]}"', "", 1),
    *(
        atom(once + once)
        for once in (
            "<id>tag:quay.example,2026:f</id>",
            "<subtitle>s</subtitle>",
            "<rights>r</rights>",
            "<generator>g</generator>",
            "<icon>/i</icon>",
            "<logo>/l</logo>",
            "<fh:complete/>",
        )
    ),
    *(
        atom(entry=once + once)
        for once in (
            "<summary>s</summary>",
            "<content>c</content>",
            "<published>2026-01-01T00:00:00Z</published>",
            "<source/>",
            "<rights>r</rights>",
            "<dc:title>t</dc:title>",
        )
    ),
    atom(entry=f"<source>{_META}<id>tag:quay.example,2026:g</id></source>"),
    atom(entry=f"<source>{_META}<entry/></source>"),
    atom(meta=_META).replace("</entry>", f"{_AUTHOR}</entry><subtitle>late</subtitle>"),
    *(
        atom(base=_ENTRY.replace("tag:quay.example,2026:e", identifier))
        for identifier in ("", "7", "/1", " tag:quay.example,2026:e", "urn:7", "http://quay.example/a b")
    ),
    *(
        atom(entry=f"<published>{date}</published>")
        for date in (
            "",
            "2026-01-01",
            "2026-01-01T00:00Z",
            "2026-01-01 00:00:00Z",
            "2026-01-01t00:00:00z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+0100",
            "2026-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "\n2026-01-01T00:00:00Z\n",
        )
    ),
    *(
        atom(f"<author>{person}</author>")
        for person in (
            "",
            "<name>A</name><name>B</name>",
            "<name>A</name><email>a</email>",
            "<name>A</name><email>A &lt;a@quay.example></email>",
            "<name>A</name><uri>a b</uri>",
            "<name>A</name><uri> https://quay.example/</uri>",
            "<name>A</name><url>https://quay.example/</url>",
        )
    ),
    *(
        atom(entry=f"<link {link}/><summary>s</summary>")
        for link in (
            "rel='related'",
            "href='a b' rel='related'",
            "href=' https://quay.example/' rel='related'",
            "href='a' rel='related' type='html'",
            "href='a' rel='related' hreflang='zz'",
            "href='a' rel='related' length='long'",
            "href='a' rel='related' size='1'",
            "href='https://quay.example/2'",
        )
    ),
    atom("<link href='https://quay.example/'/><link href='https://quay.example/2' rel='alternate'/>"),
    atom("<link rel='related' href='/a'><title>t</title></link>"),
    atom(entry="<category term='t'><category term='u'/></category>"),
    *(
        atom(base=_ENTRY.replace("tag:quay.example,2026:e", f"urn:uuid:{uuid}"))
        for uuid in ("7", "6fa459ea-ee8a-3ca4-894e-db77e160355", "6fa459eaee8a3ca4894edb77e160355e")
    ),
    *(atom(entry=f"<category {category}/>") for category in ("", "label='L'", "term='t' scheme='ships'")),
    *(
        atom(entry=content)
        for content in (
            xhtml("no div"),
            xhtml("<p>a</p>"),
            xhtml("<div>a</div>"),
            xhtml(f"{DIV}a</div>b"),
            xhtml(f"{DIV}a</div>{DIV}b</div>"),
            xhtml(f"{DIV}<b xmlns=''>a</b></div>"),
            xhtml(f"{DIV}<atom:title>a</atom:title></div>"),
            "<content type='html'><p>a</p></content>",
            "<content><b>a</b></content>",
            "<content type='text/plain'><b>a</b></content>",
            "<content type='markdown'>a</content>",
            "<content type='multipart/mixed'>a</content>",
            "<content type='image/png'>not base64!</content><summary>s</summary>",
            "<content type='image/png'>iVBORw0KGgo=</content>",
            "<content type='image/svg+xml'>a<svg xmlns='http://www.w3.org/2000/svg'/></content>",
            "<content src='/a.mp4' type='video/mp4'/>",
            "<content src='/a.html' type='html'/><summary>s</summary>",
            "<content src='/a.mp4' type='video/mp4'>a</content><summary>s</summary>",
            "<content src='a b' type='video/mp4'/><summary>s</summary>",
            "<summary type='text/html'>a</summary>",
            "<summary type='xhtml'>a</summary>",
            "<rights><b>all</b></rights>",
        )
    ),
    atom(entry="<body>no such element</body>"),
    atom("<tagline>no such element</tagline>"),
    atom("stray"),
    atom(entry="stray"),
    atom("<icon> /i </icon>"),
    atom("<logo>a b</logo>"),
    atom("<generator uri='a b'>g</generator>"),
    atom("<subtitle lang='en'>s</subtitle>"),
    atom().replace("<feed ", '<feed xml:base="a b" '),
    atom().replace("<feed ", '<feed xml:lang="zz" '),
    atom().replace("<feed ", '<feed version="1.0" '),
    atom(entry="<thr:in-reply-to ref='7'/>"),
    atom(entry="<thr:total>many</thr:total>"),
    atom(entry="<link rel='replies' href='/r' thr:count='-1'/>"),
    atom(entry="<link rel='replies' href='/r' thr:when='2026-01-01T00:00:00Z'/>"),
    atom(entry="<app:edited>yesterday</app:edited>"),
    atom(entry="<app:control><app:draft>maybe</app:draft></app:control>"),
    atom("<fh:complete/><link rel='next' href='/2'/>"),
    atom("<link rel='self' href='/1'/><link rel='last' href='/1'/><link rel='next' href='/2'/>"),
    atom(entry="</entry>" + f"<entry>{_ENTRY}</entry>" * 9 + f"<entry>{_ENTRY}"),
]


def feed(item: dict[str, Any] | None = None, version: str = "1.1", **members: Any) -> str:
    said = {"version": f"https://jsonfeed.org/version/{version}", "title": "Quay"}
    return json.dumps(said | {"items": [{"id": "1", "content_text": "x"} | (item or {})]} | members)


GOOD_JSON = [
    feed(),
    feed(version="1", author={"name": "Lea"}),
    feed({"author": {"url": "https://quay.example/lea"}}, "1"),
    feed(title="", expired=False, _ours={"a": 1}, language="en"),
    feed(home_page_url="https://quay.example/ü", favicon="data:image/png;base64,AA=="),
    feed(hubs=[{"type": "WebSub", "url": "https://quay.example/hub"}], authors=[]),
    feed(feed_url="https://quay.example/1", next_url="https://quay.example/2", language="x-harbour"),
    feed({"content_text": "", "tags": ["a"], "date_published": "2026-01-01T00:00:00.5-05:00", "_more": {}}),
    feed({"attachments": [{"url": "https://quay.example/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 3}]}),
]
BAD_JSON = [
    "[]",
    "{",
    feed(version="2"),
    json.dumps({"title": "Quay", "items": []}),
    json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": []}),
    json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Quay"}),
    feed(items={}),
    feed(items=["1"]),
    feed(items=[{"content_text": "x"}]),
    feed(items=[{"id": "1"}]),
    feed(items=[{"id": "1", "content_text": "x"}, {"id": "1", "content_text": "y"}]),
    feed(title=7),
    feed(title=None),
    feed(_ours="x"),
    feed(_ours={"a.b": 1}),
    feed({"_ours.more": {}}),
    feed(feed_url="https://quay.example/1", next_url="https://quay.example/1"),
    feed(description=None),
    feed(items=None),
    feed(author=None),
    feed(items=[None]),
    feed(expired="no"),
    feed(language="English"),
    feed(icon="icon.png"),
    feed(feed_url=7),
    feed(home="https://quay.example/"),
    feed(hubs=[{"type": "WebSub"}]),
    feed(author="Lea"),
    feed(authors={"name": "Lea"}),
    feed(authors=[{}]),
    *(
        feed(item)
        for item in (
            {"id": 1},
            {"content_text": None},
            {"content_html": ["x"]},
            {"url": "/1"},
            {"image": "a b"},
            {"date_published": "2026-01-01"},
            {"date_modified": "Wed, 02 Oct 2024 08:00:00 GMT"},
            {"tags": "a,b"},
            {"tags": [1]},
            {"authors": [{"name": 7}]},
            {"attachments": {"url": "https://quay.example/a.mp3"}},
            {"attachments": [{"url": "https://quay.example/a.mp3"}]},
            {"attachments": [{"mime_type": "audio/mpeg"}]},
            {"attachments": [{"url": "https://quay.example/a.mp3", "mime_type": "audio"}]},
            {"attachments": [{"url": "https://quay.example/a.mp3", "mime_type": "a/b", "duration_in_seconds": "3"}]},
        )
    ),
]


@pytest.mark.parametrize(
    ("format_name", "document"),
    [
        *(("rss", document) for document in GOOD_RSS),
        *(("atom", document) for document in GOOD_ATOM),
        *(("json", document) for document in GOOD_JSON),
    ],
)
def test_what_the_standard_allows_has_no_findings(format_name: str, document: str) -> None:
    assert [] == faults(format_name, document)


@pytest.mark.parametrize(
    ("format_name", "document"),
    [
        *(("rss", document) for document in BAD_RSS),
        *(("atom", document) for document in BAD_ATOM),
        *(("json", document) for document in BAD_JSON),
    ],
)
def test_what_the_standard_forbids_is_found(format_name: str, document: str) -> None:
    findings = faults(format_name, document)
    assert findings
    assert all(finding.reason and finding.source in {"standard", "registry"} for finding in findings)


@pytest.mark.parametrize(
    ("format_name", "document", "rule"),
    [
        ("rss", rss(), "rss.item.guid"),
        ("rss", rss("<pubDate>2 Oct 24 08:00 EST</pubDate>"), "rss.channel.pubDate"),
        ("rss", rss("<atom:link rel='self' href='feed'/>"), "rss.channel.atom-link"),
        ("rss", rss(front=_FRONT.replace("https", "ftp")), "rss.channel.link"),
        ("rss", rss(front=_FRONT.replace("Quay", "")), "rss.channel.title"),
        ("rss", rss(item="<title>Left\u202eright</title>"), "text.characters"),
        ("rss", f"<!DOCTYPE rss>{rss()}", "xml.doctype"),
        ("atom", atom(entry="<link rel='related' href='a'/>"), "atom.link"),
        ("atom", atom(base=_ENTRY.replace("tag:quay.example,2026:e", "https://quay.example/ü")), "atom.id"),
        ("atom", atom(entry=f"</entry><entry>{_ENTRY}"), "atom.id.unique"),
        ("atom", atom(entry="<published>2026-01-02T00:00:00Z</published>"), "atom.entry.dates"),
        ("json", feed(title=""), "jsonfeed.title"),
        ("json", feed({"url": "https://quay.example/ü"}), "jsonfeed.item.url"),
    ],
)
def test_what_only_ours_must_be_is_said_to_be_so(format_name: str, document: str, rule: str) -> None:
    assert [] == faults(format_name, document)
    findings = check_feed(format_name, document.encode(), ours=True)
    assert rule in {finding.rule for finding in findings}
    assert {"house"} == {finding.source for finding in findings}


def test_what_a_partner_asks_for_is_said_to_be_so() -> None:
    findings = check_feed("msn", rss().encode())
    assert {"partner"} == {finding.source for finding in findings}


@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_whatever_is_changed_in_a_document_it_can_be_judged(data: st.DataObject) -> None:
    format_name, documents = data.draw(
        st.sampled_from([("rss", GOOD_RSS + BAD_RSS), ("atom", GOOD_ATOM + BAD_ATOM), ("json", GOOD_JSON + BAD_JSON)])
    )
    document = data.draw(st.sampled_from(documents))
    values = [match.span(1) for match in re.finditer(r"""[>"']([^<>"']*)[<"']""", document)]
    start, end = data.draw(st.sampled_from(values or [(0, 0)]))
    said = data.draw(
        st.text(max_size=30) | st.sampled_from(["9" * 5000, "a:" * 50, "(" * 100, "1e999", "http://[", "%"])
    )
    for finding in check_feed(format_name, f"{document[:start]}{said}{document[end:]}".encode("utf-8", "replace")):
        assert finding.reason


def _change(root: etree._Element, chance: random.Random) -> None:
    """Delete, repeat, move or rename an element, or change its attributes or text."""
    elements = [element for element in root.iter(etree.Element) if element is not root]
    element, other = chance.choice(elements), chance.choice(elements)
    match chance.randrange(6):
        case 0:
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)
        case 1:
            element.addnext(deepcopy(element))
        case 2 if other not in element.iter():
            other.append(element)
        case 3:
            element.tag = other.tag
        case 4:
            name = chance.choice([*element.attrib, "type", "href", "src", "term", "scheme", "uri", "version", "odd"])
            element.set(name, chance.choice(["", "x", "text/html", "xhtml", "html", "http://a/", "a b"]))
        case _:
            element.text = chance.choice([" ", "x", "2026-01-01T00:00:00Z", "http://a/", ""])


@pytest.mark.skipif(not SCHEMA.is_file(), reason=f"the official schema is not in {SCHEMA}")
def test_what_the_schema_of_atom_forbids_is_found() -> None:
    schema = etree.RelaxNG(etree.parse(SCHEMA))
    roots = [etree.fromstring(document.encode()) for document in GOOD_ATOM]
    valid = [root for root in roots if schema.validate(root)]
    assert len(valid) > 15

    @given(chance=st.randoms(use_true_random=False))
    @settings(deadline=None, max_examples=200)
    def every(chance: random.Random) -> None:
        root = deepcopy(chance.choice(valid))
        _change(root, chance)
        assert schema.validate(root) or check_feed("atom", etree.tostring(root))

    every()


@pytest.mark.parametrize(
    ("format_name", "document"),
    [
        ("rss", rss("<language>jp</language>", "<title>T</title><guid isPermaLink='false'>1</guid>")),
        ("atom", atom().replace("<feed ", '<feed xml:lang="jp-JP" ')),
        ("json", feed({"language": "jp"})),
        ("atom", atom(base=_ENTRY.replace("tag:quay.example,2026:e", "urn:uuid:jp"))),
    ],
)
def test_no_news_of_ours_is_kept_back_for_a_code_that_nobody_gave_out(format_name: str, document: str) -> None:
    assert [("registry", True)] == [
        (finding.source, "jp" in finding.reason) for finding in faults(format_name, document)
    ]
    assert [] == check_feed(format_name, document.encode(), ours=True)
