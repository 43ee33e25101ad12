"""What is worth waking somebody for, and who hears of it.

Once a second one worker works out from the state of the world which causes for alarm there are (`causes`), and one
script compares them with the alarms that stand (`evaluation`, store/lua/alarms/evaluate.lua): it raises what is new,
ends what is over, and writes the messages. So whatever dies between two steps loses nothing, and a Redis that was lost
raises again whatever is still so.

- **One alarm for one cause**: an endpoint that fails does not lag as well. After a message about a rule all else that
  breaks it waits for the window to end and comes in one message, so a thousand endpoints that fail at once are two.
- **A rule that can't be looked at changes nothing**: while the record is away no kill becomes proven by that.
- **Every channel has its own place in the messages** (`channels`), moved when it has taken one, by whoever has its
  lease. A crash repeats a message, under the same id.
- **Apprise runs in a process of its own** (`notify`), in which the guard judges each address as its socket opens.
"""
