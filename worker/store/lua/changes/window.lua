-- Read what a feed document shows, all at one moment. An error while the feed is being rebuilt.
-- KEYS 1 meta   2 members   3 tombstones   4 log
-- ARGV 1 how many members at the most   2 head and 3 stamp of the window that the caller has, or '' and ''
-- Returns {head} when the caller's window is still true; else {head, time of the last change (ms), members, tombstones
-- with their times, the first member that has no room and its place, articles that have changed since the caller's
-- window, stamp of the head}. Instead of these articles the number 0 when that window is old, or is from before Redis
-- lost its last writes.
local meta = redis.call('HMGET', KEYS[1], 'head', 'changed', 'trail', 'rebuilding')
if meta[4] then
  return redis.error_reply('TRYAGAIN the feed is being rebuilt from the record')
end
local head, limit, trail = meta[1] or '0', tonumber(ARGV[1]), meta[3] or ''
local stamp = string.match(trail, '%d+$') or ''
if head == ARGV[2] and stamp == ARGV[3] then
  return {tonumber(head)}
end
local changed_articles = {}
if ARGV[2] ~= '' then
  changed_articles = 0
  if ARGV[3] ~= '' and string.find(trail, ARGV[3], 1, true) then
    changed_articles = redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. ARGV[2], '+inf')
  end
end
return {
  tonumber(head),
  tonumber(meta[2] or '0'),
  redis.call('ZREVRANGE', KEYS[2], 0, limit - 1),
  redis.call('ZREVRANGE', KEYS[3], 0, -1, 'WITHSCORES'),
  redis.call('ZREVRANGE', KEYS[2], limit, limit, 'WITHSCORES'),
  changed_articles,
  stamp,
}
