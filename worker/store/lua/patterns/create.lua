-- Make feeds of a pattern, as far as it may have more.
-- KEYS 1 hash: value -> as it is written
-- ARGV 1 how many there may be   2.. value, as it is written, value ...
-- Returns {value, as it is written, ...} of those that exist now.
local room = tonumber(ARGV[1]) - redis.call('HLEN', KEYS[1])
local exist = {}
for i = 2, #ARGV, 2 do
  local written = redis.call('HGET', KEYS[1], ARGV[i])
  if not written and room > 0 then
    written = ARGV[i + 1]
    redis.call('HSET', KEYS[1], ARGV[i], written)
    room = room - 1
  end
  if written then
    exist[#exist + 1] = ARGV[i]
    exist[#exist + 1] = written
  end
end
return exist
