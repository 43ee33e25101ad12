-- with outboxes/append.part outboxes/pages.part
-- Have the pages of a killed article checked, unless that has begun for this kill already.
-- KEYS 1 page checks due   2 page checks   3 outbox
-- ARGV 1 version of the kill   2 when (ms)   3 the sighting to begin with, as JSON   4 ... members
for i = 4, #ARGV do
  local readable, sighting = pcall(cjson.decode, redis.call('HGET', KEYS[2], ARGV[i]) or '')
  if not readable or type(sighting) ~= 'table' or (tonumber(sighting.version) or 0) < tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[3])
    redis.call('ZADD', KEYS[1], ARGV[2], ARGV[i])
    append_page(KEYS[3], KEYS[1], KEYS[2], ARGV[i])
  end
end
