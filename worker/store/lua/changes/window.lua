-- Read what a feed document shows, all of one moment.
-- KEYS 1 meta   2 members   3 gone   4 log
-- ARGV 1 how many members at the most   2 the head, and 3 its stamp, at which it was read before, or '' and ''
-- Returns {head} when that is the head still; else {head, changed, members, gone with times, first member that there is
-- no room for with its place, articles that have changed since it was read before, stamp}; for these the number 0 when
-- that was in another history of the feed, or long ago.
local meta = redis.call('HMGET', KEYS[1], 'head', 'changed', 'trail')
local head, limit, trail = meta[1] or '0', tonumber(ARGV[1]), meta[3] or ''
local stamp = string.match(trail, '%d+$') or ''
if head == ARGV[2] and stamp == ARGV[3] then
  return {tonumber(head)}
end
local news = {}
if ARGV[2] ~= '' then
  news = 0
  if ARGV[3] ~= '' and string.find(trail, ARGV[3], 1, true) then
    news = redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. ARGV[2], '+inf')
  end
end
return {
  tonumber(head),
  tonumber(meta[2] or '0'),
  redis.call('ZREVRANGE', KEYS[2], 0, limit - 1),
  redis.call('ZREVRANGE', KEYS[3], 0, -1, 'WITHSCORES'),
  redis.call('ZREVRANGE', KEYS[2], limit, limit, 'WITHSCORES'),
  news,
  stamp,
}
