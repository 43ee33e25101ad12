-- with changes/head.part changes/state.part
-- Carry out for one article what a person has ordered of a feed that was defined anew: have its receivers get what was
-- only placed there, or learn that it has left. One that has changed since, or that was done before, stays as it is.
-- KEYS 1 meta   2 log   3 article states   4 tombstones   5 left   6 articles that wait (sorted set)
-- ARGV 1 article   2 push or withdraw   3 tombstones to keep   4 feed   5 channel of changes
-- Returns the change's sequence number, or 0 when there is nothing to tell.
redis.call('ZREM', KEYS[6], ARGV[1])
local state = read_article_state(redis.call('HGET', KEYS[3], ARGV[1]))
if not state or redis.call('ZSCORE', KEYS[2], ARGV[1]) ~= '0' then
  return 0
end
if ARGV[2] == 'push' and state.state ~= 'in' or ARGV[2] == 'withdraw' and state.state ~= 'out' then
  return 0
end
local seq = advance(KEYS[1])
redis.call('ZADD', KEYS[2], seq, ARGV[1])
if ARGV[2] == 'withdraw' then
  redis.call('HSET', KEYS[1], 'left', seq)
  redis.call('ZADD', KEYS[5], seq, ARGV[1])
  redis.call('ZADD', KEYS[4], state.asof, ARGV[1])
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -1 - tonumber(ARGV[3]))
  if state.asof > tonumber(redis.call('HGET', KEYS[1], 'changed') or '0') then
    redis.call('HSET', KEYS[1], 'changed', string.format('%.0f', state.asof))
  end
end
publish_head(KEYS[1], ARGV[5], ARGV[4], seq)
return seq
