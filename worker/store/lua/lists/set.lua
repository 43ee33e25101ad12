-- Set a curated list, unless a later event has set it.
-- KEYS 1 list hash
-- ARGV 1 time of the event (ms)   2 article ids as JSON   3 its id
-- Returns 1 when set, 0 when the list is the same or of a later event.
local time = tonumber(redis.call('HGET', KEYS[1], 'time') or '-1')
if time > tonumber(ARGV[1]) or (time == tonumber(ARGV[1]) and redis.call('HGET', KEYS[1], 'articles') == ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], 'time', ARGV[1], 'articles', ARGV[2], 'event', ARGV[3])
return 1
