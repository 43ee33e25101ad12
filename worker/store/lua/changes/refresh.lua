-- with changes/head.part
-- Move the head of a feed if articles were placed there, so that its documents are rendered again. Receivers get
-- nothing.
-- KEYS 1 meta
-- ARGV 1 now (ms)   2 feed   3 channel of changes
-- Returns the new head, or 0 when nothing was placed.
if redis.call('HDEL', KEYS[1], 'refresh_due') == 0 then
  return 0
end
local seq = advance(KEYS[1])
redis.call('HSET', KEYS[1], 'placed', seq)
if tonumber(ARGV[1]) > tonumber(redis.call('HGET', KEYS[1], 'changed') or '0') then
  redis.call('HSET', KEYS[1], 'changed', ARGV[1])
end
publish_head(KEYS[1], ARGV[3], ARGV[2], seq)
return seq
