-- with changes/head.part
-- A feed is as the record has it: its window may be read and its receivers claimed. Processes that serve its documents
-- hear of it.
-- KEYS 1 meta   2 members
-- ARGV 1 feed   2 channel of changes   3 how many members it has in the record   4.. names and values of meta; of each
--      the greater value stays
-- Returns how many of the members are in the record only.
for i = 4, #ARGV, 2 do
  if tonumber(ARGV[i + 1]) > tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0') then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
if redis.call('HDEL', KEYS[1], 'rebuilding') == 1 then
  publish_head(KEYS[1], ARGV[2], ARGV[1], redis.call('HGET', KEYS[1], 'head') or '0')
end
local cold = math.max(0, tonumber(ARGV[3]) - redis.call('ZCARD', KEYS[2]))
redis.call('HSET', KEYS[1], 'cold', cold)
return cold
