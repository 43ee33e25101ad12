-- with changes/head.part
-- Record in a feed's change log what an article is there as of a moment. Running it again changes nothing.
-- KEYS 1 meta   2 log   3 members   4 states   5 gone   6 killed   7 left
-- ARGV 1 article   2 version   3 asof (ms)   4 state: in, out, killed or early   5 place (when in)   6 tombstones to keep
--      7 feed   8 channel on which the change is made known   9 channel on which it is made known that an article leaves
-- Returns the change's sequence number, or 0 when there is nothing new.
local article, version, asof, state = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local held = redis.call('HGET', KEYS[4], article)
local gone = state == 'out' or state == 'killed'
local last, before, unseen, told = nil, 'none', ':unseen', nil
if held then
  local v, a, rest
  v, a, before, rest = string.match(held, '^(%d+):(%d+):(%a+)(.*)$')
  if not v then
    -- Damaged: whoever may have the article is told.
    v, a, before, rest = '-1', '0', 'in', ''
  end
  unseen, told, last = string.match(rest, ':unseen') or '', string.match(rest, ':last%-%d+'), tonumber(v)
  -- A decision of a time that is yet to come was made by a clock that has been set back since: it binds nobody.
  local to_come = tonumber(a) > redis.call('TIME')[1] * 1000 + 5000
  if version < last or (version == last and asof < tonumber(a) and not to_come) then
    return 0
  end
elseif gone then
  return 0
end
if state == 'in' then
  unseen = ''
end
if gone and (before == 'in' or before == 'early') then
  told = ':last-' .. string.format('%.0f', redis.call('ZSCORE', KEYS[2], article) or 0)
end
local now = ARGV[2] .. ':' .. ARGV[3] .. ':' .. state .. unseen .. (gone and told or '')
if before == state and (gone or version == last) then
  -- Nothing to tell; but a decision older than this one must not win later.
  redis.call('HSET', KEYS[4], article, now)
  return 0
end
local seq = advance(KEYS[1])
redis.call('ZADD', KEYS[2], seq, article)
redis.call('HSET', KEYS[4], article, now)
if (before == 'in' or before == 'early') and (gone or (state == 'early' and before == 'in')) then
  redis.call('PUBLISH', ARGV[9], cjson.encode({gone = {{ARGV[7], article}}}))
end
redis.call('ZREM', KEYS[6], article)
redis.call('ZREM', KEYS[7], article)
if state == 'killed' then
  redis.call('HSET', KEYS[1], 'kill', seq, 'killed', ARGV[3])
  redis.call('ZADD', KEYS[6], seq, article)
elseif state == 'out' or before == 'in' and state == 'early' then
  redis.call('HSET', KEYS[1], 'left', seq)
  redis.call('ZADD', KEYS[7], seq, article)
end
if state == 'in' then
  redis.call('ZADD', KEYS[3], ARGV[5], article)
  redis.call('ZREM', KEYS[5], article)
elseif before == 'in' or (gone and unseen == '') then
  redis.call('ZREM', KEYS[3], article)
  redis.call('ZADD', KEYS[5], asof, article)
  redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -1 - tonumber(ARGV[6]))
else
  -- Readers see nothing of it.
  return seq
end
if asof > tonumber(redis.call('HGET', KEYS[1], 'changed') or '0') then
  redis.call('HSET', KEYS[1], 'changed', ARGV[3])
end
redis.call('PUBLISH', ARGV[8], seq .. ' ' .. (redis.call('HGET', KEYS[1], 'kill') or '0') .. ' ' .. ARGV[7])
return seq
