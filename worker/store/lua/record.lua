-- Record in a feed's change log what an article is there as of a moment. Running it again changes nothing.
-- KEYS 1 meta   2 log   3 members   4 states   5 gone
-- ARGV 1 article   2 version   3 asof (ms)   4 state: in, out or killed   5 place (when in)   6 tombstones to keep
--      7 feed   8 channel on which the change is made known
-- Returns the change's sequence number, or 0 when there is nothing new.
local article, version, asof, state = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local held = redis.call('HGET', KEYS[4], article)
if held then
  local v, a, s = string.match(held, '^(%d+):(%d+):(%a+)$')
  v, a = tonumber(v), tonumber(a)
  if version < v or (version == v and asof < a) then
    return 0
  end
  if version == v and state == s then
    -- Nothing to tell; but a decision older than this one must not win later.
    redis.call('HSET', KEYS[4], article, ARGV[2] .. ':' .. ARGV[3] .. ':' .. state)
    return 0
  end
  if state == s and state ~= 'in' then
    -- Still not here, in a newer version: there is nothing to tell.
    redis.call('HSET', KEYS[4], article, ARGV[2] .. ':' .. ARGV[3] .. ':' .. state)
    return 0
  end
elseif state ~= 'in' then
  return 0
end
local seq = redis.call('HINCRBY', KEYS[1], 'head', 1)
if asof > tonumber(redis.call('HGET', KEYS[1], 'changed') or '0') then
  redis.call('HSET', KEYS[1], 'changed', ARGV[3])
end
redis.call('ZADD', KEYS[2], seq, article)
redis.call('HSET', KEYS[4], article, ARGV[2] .. ':' .. ARGV[3] .. ':' .. state)
if state == 'in' then
  redis.call('ZADD', KEYS[3], ARGV[5], article)
  redis.call('ZREM', KEYS[5], article)
else
  redis.call('ZREM', KEYS[3], article)
  redis.call('ZADD', KEYS[5], asof, article)
  redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -1 - tonumber(ARGV[6]))
  if state == 'killed' then
    redis.call('HSET', KEYS[1], 'kill', seq, 'killed', ARGV[3])
  end
end
redis.call('PUBLISH', ARGV[8], seq .. ' ' .. ARGV[7])
return seq
