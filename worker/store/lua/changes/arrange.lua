-- with changes/head.part
-- Give the members of a curated feed their places. A new order moves the head, so that receivers get it.
-- KEYS 1 meta   2 members
-- ARGV 1 now (ms)   2 feed   3 channel of changes   4.. article, place, article, place ...
-- Returns 1 when the order has changed, else 0.
local before = redis.call('ZREVRANGE', KEYS[2], 0, -1)
for i = 4, #ARGV, 2 do
  redis.call('ZADD', KEYS[2], 'XX', ARGV[i + 1], ARGV[i])
end
local after = redis.call('ZREVRANGE', KEYS[2], 0, -1)
for i = 1, #after do
  if after[i] ~= before[i] then
    local seq = advance(KEYS[1])
    redis.call('HSET', KEYS[1], 'changed', ARGV[1], 'arranged', seq)
    publish_head(KEYS[1], ARGV[3], ARGV[2], seq)
    return 1
  end
end
return 0
