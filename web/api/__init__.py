"""The API under /api/v1: one module for each resource, and what all of them share.

A request passes the `gate` first: whose it is, how many its key has made, its body, its Idempotency-Key. Then FastAPI
(`application`) finds its route, whose signature names the scope that it needs (`access`), and checks parameters and
body. The route calls what the command line calls too: nothing is decided here but how it is shown. Every error is a
problem (`problems`), every list has pages (`paging`), what two may change at once has an ETag (`revisions`), and names
with a slash are found in addresses (`names`).

FastAPI is imported by this package alone, and by nothing that answers for feeds or events.
"""

# Routes name its convertor, so it is known before any of them is made.
from web.api import names as names
