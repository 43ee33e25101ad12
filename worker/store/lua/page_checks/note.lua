-- with outboxes/append.part outboxes/pages.part
-- Note what was seen on a page, unless its article has been killed once more meanwhile.
-- KEYS 1 page checks due   2 page checks   3 outbox
-- ARGV 1 member   2 the sighting before, as JSON   3 the sighting now, or '' to forget the page
--      4 when it is checked next (ms), or '' for never   5 the deadline under which the check was claimed (ms)
-- Returns 1 when it is noted, else 0.
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then
  return 0
end
-- The next check may have been brought forward during this one: then it is due at that time, whatever was seen.
local untouched = redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[5]
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[1])
  append_page(KEYS[3], KEYS[1], KEYS[2], ARGV[1])
  return 1
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
if untouched and ARGV[4] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
elseif untouched then
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
end
append_page(KEYS[3], KEYS[1], KEYS[2], ARGV[1])
return 1
