-- Read what a feed document shows, all of one moment.
-- KEYS 1 meta   2 members   3 gone
-- ARGV 1 how many members at the most
-- Returns {head, changed, members, gone with times, first member that there is no room for with its place}.
local meta = redis.call('HMGET', KEYS[1], 'head', 'changed')
local limit = tonumber(ARGV[1])
return {
  tonumber(meta[1] or '0'),
  tonumber(meta[2] or '0'),
  redis.call('ZREVRANGE', KEYS[2], 0, limit - 1),
  redis.call('ZREVRANGE', KEYS[3], 0, -1, 'WITHSCORES'),
  redis.call('ZREVRANGE', KEYS[2], limit, limit, 'WITHSCORES'),
}
