-- Set a curated list, unless a later event set it already.
-- KEYS 1 list hash
-- ARGV 1 time of the event (ms)   2 article ids as JSON
-- Returns 1 when set, 0 when what is there is as new or newer.
local time = tonumber(redis.call('HGET', KEYS[1], 'time') or '-1')
if time > tonumber(ARGV[1]) or (time == tonumber(ARGV[1]) and redis.call('HGET', KEYS[1], 'articles') == ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], 'time', ARGV[1], 'articles', ARGV[2])
return 1
