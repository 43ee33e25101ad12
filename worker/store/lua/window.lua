-- Read what a feed document shows, all of one moment.
-- KEYS 1 meta   2 members   3 gone   4 log
-- ARGV 1 how many members at the most   2 the head at which it was read before, or ''
-- Returns {head} when that is the head still; else {head, changed, members, gone with times, first member that there is
-- no room for with its place, articles that have changed since it was read before}.
local meta = redis.call('HMGET', KEYS[1], 'head', 'changed')
local head, limit = meta[1] or '0', tonumber(ARGV[1])
if head == ARGV[2] then
  return {tonumber(head)}
end
return {
  tonumber(head),
  tonumber(meta[2] or '0'),
  redis.call('ZREVRANGE', KEYS[2], 0, limit - 1),
  redis.call('ZREVRANGE', KEYS[3], 0, -1, 'WITHSCORES'),
  redis.call('ZREVRANGE', KEYS[2], limit, limit, 'WITHSCORES'),
  ARGV[2] ~= '' and redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. ARGV[2], '+inf') or {},
}
