-- Note what was seen on a page, unless another kill of its article has come meanwhile.
-- KEYS 1 looks   2 readbacks
-- ARGV 1 member   2 what was known before, as JSON   3 what is known now, or '' to forget the page
--      4 when it is looked at next (ms), or '' for never   5 the deadline under which it was taken (ms)
-- Returns 1 when it is noted, else 0.
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then
  return 0
end
-- Brought forward while it was being looked at: then it is looked at again at that time, whatever was seen.
local untouched = redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[5]
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[1])
  return 1
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
if untouched and ARGV[4] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
elseif untouched then
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
end
return 1
