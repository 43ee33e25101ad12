"""How a message reaches a partner's endpoint: one file for each kind of destination. Today there is `http`.

`interface` has what a destination is given: a message with its id, its text and its payload. A destination knows its
address, how it is authenticated and how it signs, and makes a transfer of a message, which the engine sends.

This room must never decide what an endpoint gets, judge an answer, or know a receiver, a feed or a cursor.
"""
