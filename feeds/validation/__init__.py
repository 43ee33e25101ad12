"""The rules that a document must keep before it is published or pushed.

Each family of formats has one module of rules. A rule is a generator of findings over a parsed document. The parts:

- `checks`: the tables of all checks, and the functions that others call.
- `finding`: one thing that is wrong, with its line, the name of its rule, and who asks for it.
- `xml` and `json`: read a document, and the checks that several formats share. `read_root` and `read_object` are how
  every check begins: they report what cannot be read, a wrong root element, and texts with control characters.
- `values`: questions about single values: addresses, moments, languages, texts.
- `element_models`: what elements of XML may be, as tables, and the walk that compares a document with them. `modules`,
  `metadata`, `mediarss`, `podcasts` and `namespaces` have the tables that RSS and Atom share.
- `rss`, `atom`, `jsonfeed`, `sitemap`, `partners`: the rules of feeds.
- `native`, `ninjs`, `iptc`, `applenews`: the rules of single articles.

The ideas behind them:

- **The checks read bytes, not objects.** They share limits with the formats but none of their code. A rule says what
  the specification or the partner asks for, never how our own renderer happens to write it. So the same rules judge
  anybody's document.
- **Every finding says who asks for its rule.** The house's rules go beyond the standard, and only our own documents
  must keep them. The codes that registries give out (languages, UUIDs) are checked only in documents of others: ours
  have them from the newsroom, and no news is held back for a code.
- **Parts are checked, not wholes.** `check_entry` judges one article, `check_channel` what a feed says of itself. A
  document made of parts that passed passes too; tests/unit/test_validation.py shows it.

This room must never read anything but the bytes it was given: no network, no entities, no clock. It must never change
a document, and no input may make it raise: what cannot be read is a finding.
"""
