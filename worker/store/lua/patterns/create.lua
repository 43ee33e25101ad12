-- Create feeds of a pattern, as far as it may have more.
-- KEYS 1 hash: value -> as an article wrote it
-- ARGV 1 how many feeds there may be   2.. value, as it is written, value ...
-- Returns {value, as it is written, ...} of the feeds that exist now.
local room = tonumber(ARGV[1]) - redis.call('HLEN', KEYS[1])
local existing = {}
for i = 2, #ARGV, 2 do
  local written = redis.call('HGET', KEYS[1], ARGV[i])
  if not written and room > 0 then
    written = ARGV[i + 1]
    redis.call('HSET', KEYS[1], ARGV[i], written)
    room = room - 1
  end
  if written then
    existing[#existing + 1] = ARGV[i]
    existing[#existing + 1] = written
  end
end
return existing
