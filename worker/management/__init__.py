"""Who may do what: partners, managed endpoints, keys, people, and the audit of what they change.

- **The truth is in the record, a copy in every process** (`copies`). A change is one transaction together with its
  entry in the audit (`changes`); then the whole is put into Redis and announced, and every process goes over to it
  (`listener`). A process that starts while the record is away works by the copy in Redis.
- **Who asks is a `Caller`** (`callers`), with its scopes and bounds. Every operation takes it and refuses by itself, so
  that the command line, the API and the desk can't differ.
- **A key is shown once** (`keys`): its digest is kept. It has 256 random bits, so no slow hash is needed.

This room knows the record and the store, and nothing of HTTP.
"""
