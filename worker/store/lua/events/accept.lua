-- Append an event to its stream, unless the same event was accepted before. An event with other content under the same
-- id is another event; and so is a kill whose article has been reinstated since.
-- KEYS 1 stream (events or urgent)   2 accepted:<event id>   3 reinstated:<article id>
-- ARGV 1 the event's JSON   2 its digest   3 seconds to remember it   4 kill, reinstatement or ''   5 its id
-- Returns {stream id, 1 when its id was another event's, else 0}, or false for a duplicate.
local digest = ARGV[2]
if ARGV[4] == 'kill' then
  digest = digest .. ' ' .. (redis.call('GET', KEYS[3]) or '')
end
local before = redis.call('GET', KEYS[2])
if before == digest then
  return false
end
redis.call('SET', KEYS[2], digest, 'EX', ARGV[3])
if ARGV[4] == 'reinstatement' then
  redis.call('SET', KEYS[3], ARGV[5], 'EX', ARGV[3])
end
return {redis.call('XADD', KEYS[1], '*', 'event', ARGV[1]), before and 1 or 0}
