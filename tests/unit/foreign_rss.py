"""RSS of others, good and bad: what the standard and its modules allow, and what they do not.

Each line is one feed that is good but for what it shows. The words are ours, the rules are those of the specifications.
"""

from __future__ import annotations

NAMESPACES = {
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
DECLARED = " ".join(f'xmlns:{prefix}="{namespace}"' for prefix, namespace in NAMESPACES.items())
XHTML = "http://www.w3.org/1999/xhtml"
DIV = f'<div xmlns="{XHTML}">'
FRONT = "<title>Quay</title><link>https://quay.example/</link><description>News</description>"


def rss(channel: str = "", item: str = "<title>Cranes</title>", front: str = FRONT, version: str = "2.0") -> str:
    return f'<rss version="{version}" {DECLARED}><channel>{front}{channel}<item>{item}</item></channel></rss>'


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
    f"<!-- first --><!DOCTYPE rss><rss version='2.0'><channel>{FRONT}</channel></rss>",
]

BAD_RSS = [
    rss(front="<title>T</title><link>https://quay.example/</link>"),
    rss(front="<title>T</title><description>D</description>"),
    rss(front="<link>https://quay.example/</link><description>D</description>"),
    rss(version="2"),
    f"<rss><channel>{FRONT}</channel></rss>",
    f"<rss version='2.0'><channel>{FRONT}</channel><channel>{FRONT}</channel></rss>",
    f"<rss version='2.0' xmlns='https://quay.example/ns'><channel>{FRONT}</channel></rss>",
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
