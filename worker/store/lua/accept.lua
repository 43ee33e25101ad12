-- Append one event to its stream, unless an event of this id was accepted before.
-- KEYS 1 stream (events or urgent)   2 seen:<event id>
-- ARGV 1 the event's JSON            2 seconds to remember its id
-- Returns the stream id, or false for a duplicate.
if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[2]) then
  return false
end
return redis.call('XADD', KEYS[1], '*', 'event', ARGV[1])
