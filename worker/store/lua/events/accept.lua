-- Append one event to its stream, unless this very event was accepted before. Another event under the same id is another
-- event; and a kill is another one when its article has been reinstated since.
-- KEYS 1 stream (events or urgent)   2 seen:<event id>   3 reinstated:<article id>
-- ARGV 1 the event's JSON   2 its digest   3 seconds to remember it   4 kill, reinstatement or ''   5 its id
-- Returns {stream id, 1 when its id was another event's, else 0}, or false for a duplicate.
local digest = ARGV[2]
if ARGV[4] == 'kill' then
  digest = digest .. ' ' .. (redis.call('GET', KEYS[3]) or '')
end
local before = redis.call('GET', KEYS[2])
-- '1' is what was kept before digests were. It does not say whether the article of a kill has been reinstated since, and
-- a kill too many is harmless.
if before == digest or (before == '1' and ARGV[4] ~= 'kill') then
  return false
end
redis.call('SET', KEYS[2], digest, 'EX', ARGV[3])
if ARGV[4] == 'reinstatement' then
  redis.call('SET', KEYS[3], ARGV[5], 'EX', ARGV[3])
end
return {redis.call('XADD', KEYS[1], '*', 'event', ARGV[1]), before and 1 or 0}
