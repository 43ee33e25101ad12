"""How bytes leave: the engine and what stands around it. Every request of the process goes through this room.

    requests_adapter, fetch, oauth2_tokens     calls in the words of `requests`
    auth, signing                              who we are, and proof that we sent this
    transfer                                   a request and its answer, as plain values
    engine, submissions                        one thread that sends them all
    scheduler, latency                         who starts next, who is slow
    dns_cache, guard, guarded_socket           which addresses a host has, which may be called
    easy_handle, socket_events, descriptors    libcurl
    errors                                     what can go wrong

The main ideas:

- **One thread, one multi handle of libcurl.** A transfer is submitted from any thread and answered by a callback in the
  engine's thread. Connections are kept from one batch to the next. `requests` is the vocabulary: prepared requests,
  responses, and any `AuthBase`.
- **The guard judges the address when a socket is opened.** By then every spelling of a host has been read and every
  name server has answered, so nothing can change between the check and the use.
- **Slow receivers have a lane** with a tenth of the places. Slow means slow on average, and only the averages of slow
  receivers are kept. When too many of their transfers wait, further ones are refused (CROWDED): the caller sends them
  later, and is free to send to others now.
- **Questions have their own lanes**: verifications of intent go to addresses that strangers gave, and pages that are
  read back may hang. They have a tenth of the places and of what one host may have at once, and their own averages. So
  a push never waits for a question, and a question that waits never makes the engine look full.
- **A transfer that waits for its host takes no place**: a host at its bound, or whose name server does not answer,
  holds up only itself. `scheduler` says who counts what.
- **Host names are looked up in our own threads** and remembered, because libcurl looks up ten at a time. A known name
  is used while it is looked up again. When its addresses can't be reached, it is looked up at once, at most once a
  second.
- **A request asks twice whether it may still be sent**: when it gets its place, and when its connection stands and
  before its first byte (libcurl's PREREQFUNCTION). It may have waited for seconds, and by then its text may be
  withdrawn. The check costs a look at the clock and one into a dictionary.
- **OAuth2 tokens are fetched beside the pushes.** Whoever sends has a token, or comes again in a quarter of a second.
  A 401 replaces the token once, and then nobody has failed.
- **Any status is an answer.** Everything else is one of a few faults; libcurl's codes become faults in one place.

This room must never import another room, and knows nothing of settings, Redis, Celery, articles or who is behind. It
does not retry: callers decide what an answer means.
"""
