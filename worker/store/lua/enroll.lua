-- Add an endpoint as a receiver that is up to date, or take one back that had been removed from the settings.
-- KEYS 1 meta   2 settled   3 paused   4 holds   5 receivers
-- ARGV 1 receiver   2 details JSON
-- Returns 1 when it is new, 2 when it is back, 0 when it was there.
if redis.call('HSETNX', KEYS[5], ARGV[1], ARGV[2]) == 1 then
  redis.call('ZADD', KEYS[2], redis.call('HGET', KEYS[1], 'head') or '0', ARGV[1])
  return 1
end
redis.call('HSET', KEYS[5], ARGV[1], ARGV[2])
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  return 0
end
local cursor, reason = string.match(redis.call('HGET', KEYS[4], ARGV[1]), '^%d+:(%d+):%d+:%d+:%d+:(.*)$')
if reason ~= 'removed' then
  return 0
end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('ZADD', KEYS[2], cursor, ARGV[1])
return 2
