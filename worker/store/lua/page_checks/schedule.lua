-- Have the pages of a killed article looked at, unless that was begun for this kill already.
-- KEYS 1 looks   2 readbacks
-- ARGV 1 version of the kill   2 when (ms)   3 what is known as yet, as JSON   4 ... members
for i = 4, #ARGV do
  local held = redis.call('HGET', KEYS[2], ARGV[i])
  local ok, seen = pcall(cjson.decode, held or '')
  if not ok or type(seen) ~= 'table' or (tonumber(seen.version) or 0) < tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[3])
    redis.call('ZADD', KEYS[1], ARGV[2], ARGV[i])
  end
end
