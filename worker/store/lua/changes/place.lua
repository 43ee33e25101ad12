-- Place an article in a feed, or take it out, because the feed is new or is defined anew. Nobody is told of it: it is in
-- the log before all cursors, and the head stays.
-- KEYS 1 log   2 members   3 states   4 gone   5 meta   6 killed   7 left
-- ARGV 1 article   2 version   3 asof (ms)   4 state: in, out, killed or early   5 place (when in)
-- Returns 1 when the head is to be turned, as readers are to see a difference, else 0.
local article, version, asof, state = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local held = redis.call('HGET', KEYS[3], article)
local gone = state == 'out' or state == 'killed'
local before, rest = 'none', ''
if held then
  local v, a
  v, a, before, rest = string.match(held, '^(%d+):(%d+):(%a+)(.*)$')
  if not v then
    -- Damaged: it is made anew.
    v, a, before, rest = '-1', '0', 'in', ''
  end
  -- A decision of a time that is yet to come was made by a clock that has been set back since: it binds nobody.
  local to_come = tonumber(a) > redis.call('TIME')[1] * 1000 + 5000
  if version < tonumber(v) or (version == tonumber(v) and asof < tonumber(a) and not to_come) then
    return 0
  end
elseif gone then
  return 0
end
local now = ARGV[2] .. ':' .. ARGV[3] .. ':' .. state
if state == 'in' then
  redis.call('HSET', KEYS[3], article, now)
  redis.call('ZREM', KEYS[6], article)
  redis.call('ZREM', KEYS[7], article)
  redis.call('ZADD', KEYS[1], 'NX', 0, article)
  redis.call('ZREM', KEYS[4], article)
  if redis.call('ZADD', KEYS[2], 'CH', ARGV[5], article) == 1 then
    redis.call('HSET', KEYS[5], 'turning', 1)
  end
  return redis.call('HEXISTS', KEYS[5], 'turning')
end
if state == 'early' then
  redis.call('HSET', KEYS[3], article, now .. (before == 'in' and '' or held and rest or ':unseen'))
  redis.call('ZADD', KEYS[1], 'NX', 0, article)
  return 0
end
if before == 'in' or before == 'early' then
  rest = rest .. ':last-' .. string.format('%.0f', redis.call('ZSCORE', KEYS[1], article) or 0)
  redis.call('ZADD', KEYS[1], 'XX', 0, article)
end
redis.call('HSET', KEYS[3], article, now .. rest)
if redis.call('ZREM', KEYS[2], article) == 1 then
  redis.call('HSET', KEYS[5], 'turning', 1)
end
return redis.call('HEXISTS', KEYS[5], 'turning')
