"""Pictures that are delivered beside an article: fetched from the newsroom's own servers, checked, resized, kept.

    MessageCache ──> Pictures.beside(article) ──> they are here, or PicturesAwaited
    ArticlePushes ─> Pictures.fetch(awaited) ───> PictureFetch (engine) ──> picture_contents (Pillow) ──> PictureFiles

A picture of one revision of an article is fetched once in a worker, whoever gets it: through the guard, within a time
and a size, and each address that it is redirected to is judged anew. What it is its contents say, not its name. It is
kept as a file on the worker's disk, among so many bytes of the pictures that were used last.

This room must never decide who may have a picture: it is asked for those that a contract grants (feeds/rights.py).
"""
