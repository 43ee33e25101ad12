"""The rules that a document must keep before it leaves, one file for each family of formats; `checks` calls them.

A rule is a generator of findings over a parsed document. The rules say what the format's specification and the partner
ask for, never how our own renderer happens to write it, so they judge the documents of others too.
"""
