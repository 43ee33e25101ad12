"""The page of a partner, at /partner: how its endpoints do, what they were sent and answered, what it may do itself.

It is opened by a link that the newsroom makes (worker.management.partner_links). The secret in the link is exchanged
for a cookie that is sent to /partner alone, and the browser is led on, so that it stands in no address bar and no
Referer. The cookie carries the same secret: a link that is revoked or has ended is out within a second, also while
Redis is away.

The page asks the API within the process, as the desk does, in the name of the partner: what is not the partner's is not
there for it, and the audit has what it does as `link:PARTNER`. It looks like the desk: its files and templates are the
desk's, where there is none here.
"""
