-- with changes/head.part
-- Move the head of a feed if articles were placed there, so that its documents are made anew. Receivers are told nothing.
-- KEYS 1 meta
-- ARGV 1 now (ms)   2 feed   3 channel on which the change is made known
if redis.call('HDEL', KEYS[1], 'turning') == 0 then
  return 0
end
local seq = advance(KEYS[1])
redis.call('HSET', KEYS[1], 'placed', seq)
if tonumber(ARGV[1]) > tonumber(redis.call('HGET', KEYS[1], 'changed') or '0') then
  redis.call('HSET', KEYS[1], 'changed', ARGV[1])
end
redis.call('PUBLISH', ARGV[3], seq .. ' ' .. (redis.call('HGET', KEYS[1], 'kill') or '0') .. ' ' .. ARGV[2])
return seq
