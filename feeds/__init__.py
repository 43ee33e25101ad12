"""What a newsroom's feeds are: articles, their life, the feeds they belong to, and the formats in which they leave.

How an event becomes bytes:

- `adapters` turn what other systems send into events. `event` and `article` check an event, made of
  `article_values`, and clean its texts once (`text`, `safe_html`, `markup`), so that no format has to.
- `lifecycle` decides what the event does to its article: accept, hold until the embargo ends, or ignore. `lineage`
  makes one article of a document and its updates with ids of their own.
- `selection` says which feeds the article enters, stays in or leaves. `definition` is a feed as its editors define it,
  `patterns` the definitions that stand for a feed of every author, and `archive` the periods of older entries.
- `rights` are what a partner's contract grants, and `granting` cuts the article to them. `entry` is what formats render
  of it.
- `formats` render entries and articles to bytes, and `validation` checks bytes by the rules of their format.
  `recognition` finds out which format that is.

For killed texts: `fingerprint` recognises them on a page of which `page_text` has all the text, in any of the web's
`encodings`.

What settings are made of imports no format, no HTML and no article: a command reads them each time. So the names of
formats (`format_names`), a format of the newsroom's own as it is written (`format_definition`), and templates of mails
and posts (`mail_subject`, `post_template`) are modules of their own.

The main ideas:

- **Everything here is a function of its arguments.** So the same articles give the same bytes on any machine at any
  time; a decision can be tested without a clock or a store; and what was rendered can be cached without asking again.
- **Decide, then do.** A decision is a value (`lifecycle.Accept`, `selection.Placement`). Whoever asked carries it out.
- **Checked once, at the door.** An `Article` that exists is legal: `Article.stored` reads it back without checking it.
  Cleaning what was cleaned changes nothing.
- **Matching knows no language.** A selector does not say in which language it is written, and an English article may
  have a Turkish author, so one folding (`text.fold`) serves all languages; docs/newsroom.md lists what it costs.
  Lucene's Persian normalizer also makes one letter of Urdu's two yehs. Ours does not, because "boy" and "boys" would
  become the same word.
- **Archives are days or months, not pages of a number of entries.** A kill would move every later entry to another
  page.
- **An update with an id of its own is a revision of the original.** Versions of different documents can't be compared,
  so their places in the line of updates decide which is newer.
- **Input is read leniently, output is judged strictly.** Adapters and `page_text` read what others write, as browsers
  do. `validation` follows the standards, and judges anybody's documents by the same rules. It shares limits with the
  formats but none of their code, so that a mistake in a format is not repeated in its check.
- **Article ids are unique within one newsroom.** IPTC's formats want an id that is unique in the world, and a provider,
  so article formats are given both beside the article.

This package must never do I/O, ask what time it is or draw a random number: times, chance and ids are arguments. It
must never change an article that it is given, and it imports nothing of the project outside itself.
"""
