"""WebSub's hub: takes requests to subscribe, and asks subscribers whether they sent them. It takes rssCloud's, too.

A request (`hub_requests`, read by `request_form`) is checked, counted against limits, kept, and answered with 202. It
changes nothing yet. Then the subscriber is asked by a GET to its callback (`intent_verifier`, W3C WebSub section 5.3):
anybody can name anybody's callback, and only a subscriber that repeats our challenge has really asked. When a
subscription ends otherwise than by the subscriber's own request, the subscriber is informed (`ended_subscriptions`,
section 5.2). Both use `callback_requests`. What comes by rssCloud (`cloud_requests`) is kept and
verified as these requests are.

Nobody can have the hub flood a third party or fill its memory. Requests are counted by callback host and by client in a
window of a minute, subscriptions in the scripts that add and remove them, so that a limit can't be raced. A host is its
name without the port: another port is the same machine. Requests to callbacks are questions to the engine
(worker/outbound): they have a tenth of the places and of what one host may have at once, so that a push never waits for
a stranger's server that hangs.

This room must never send news: that is for worker/receivers. It must never call a callback without being asked to: an
address is only in a request, or in a subscription that was verified.
"""
