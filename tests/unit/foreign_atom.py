"""Atom of others, good and bad: what RFC 4287 and its extensions allow, and what they do not."""

from __future__ import annotations

from unit.foreign_rss import DECLARED, DIV, NAMESPACES

META = "<id>tag:quay.example,2026:f</id><title>Quay</title><updated>2026-01-01T00:00:00Z</updated>"
AUTHOR = "<author><name>Lea Marsh</name></author>"
ENTRY = (
    "<id>tag:quay.example,2026:e</id><title>Cranes</title><updated>2026-01-01T00:00:00Z</updated>"
    '<link href="https://quay.example/1"/>'
)


def atom(feed: str = "", entry: str = "<summary>s</summary>", meta: str = META + AUTHOR, base: str = ENTRY) -> str:
    return f'<feed xmlns="{NAMESPACES["atom"]}" {DECLARED}>{meta}{feed}<entry>{base}{entry}</entry></feed>'


def xhtml(inner: str) -> str:
    return f'<content type="xhtml">{inner}</content>'


GOOD_ATOM = [
    atom(),
    atom(meta=META).replace("</entry>", f"{AUTHOR}</entry>"),
    atom(meta=META).replace("</entry>", f"<source>{AUTHOR}</source></entry>"),
    f'<feed xmlns="{NAMESPACES["atom"]}">{META}</feed>',
    f'<entry xmlns="{NAMESPACES["atom"]}">{ENTRY}{AUTHOR}</entry>',
    f'<a:entry xmlns:a="{NAMESPACES["atom"]}">{ENTRY}{AUTHOR}</a:entry>'.replace("</", "</a:")
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
    atom(entry=f"<summary>s</summary></entry><entry>{ENTRY.replace('2026-01-01', '2026-01-02')}"),
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
    atom(base=ENTRY.replace("<title>Cranes", f"<title type='xhtml'>{DIV}Cranes</div>")),
    atom(entry=f"<content type='xhtml'>{DIV}<svg xmlns='http://www.w3.org/2000/svg'><g/></svg></div></content>"),
    atom(entry=f"<a:summary xmlns:a='{NAMESPACES['atom']}' xml:lang='fr' our:x='1'>s</a:summary>"),
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
    atom(meta=META),
    *(
        atom(meta=META.replace(part, "") + AUTHOR)
        for part in (
            "<id>tag:quay.example,2026:f</id>",
            "<title>Quay</title>",
            "<updated>2026-01-01T00:00:00Z</updated>",
        )
    ),
    *(
        atom(base=ENTRY.replace(part, ""))
        for part in (
            "<id>tag:quay.example,2026:e</id>",
            "<title>Cranes</title>",
            "<updated>2026-01-01T00:00:00Z</updated>",
            '<link href="https://quay.example/1"/>',
        )
    ),
    atom().replace(NAMESPACES["atom"], "http://purl.org/atom/ns#"),
    atom().replace(f'xmlns="{NAMESPACES["atom"]}"', "", 1),
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
    atom(entry=f"<source>{META}<id>tag:quay.example,2026:g</id></source>"),
    atom(entry=f"<source>{META}<entry/></source>"),
    atom(meta=META).replace("</entry>", f"{AUTHOR}</entry><subtitle>late</subtitle>"),
    *(
        atom(base=ENTRY.replace("tag:quay.example,2026:e", identifier))
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
        atom(base=ENTRY.replace("tag:quay.example,2026:e", f"urn:uuid:{uuid}"))
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
    atom(entry="</entry>" + f"<entry>{ENTRY}</entry>" * 9 + f"<entry>{ENTRY}"),
]
