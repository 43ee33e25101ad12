-- with changes/head.part changes/state.part restoring/decided.part
-- Begin to rebuild a feed: its numbers go on after all that the record has of it. What was decided in it since the
-- record last heard of it was decided on a Redis that had lost time, and has numbers that others had before: it gets
-- numbers after all of those.
-- KEYS 1 meta   2 log   3 article states   4 killed   5 left
-- ARGV 1 the greatest number that the record has   2 until when (ms) all decisions are in the record
--      3 1 when nobody may read its window before it is rebuilt
--      4 1 when all of its log was written since Redis lost everything
--      5.. article, number, article, number ...: with these numbers the record has them, or something later
-- Returns the articles that were decided meanwhile.
local head, noted = tonumber(redis.call('HGET', KEYS[1], 'head') or '0'), tonumber(ARGV[1])
local strays, known = {}, {}
for i = 5, #ARGV, 2 do
  known[ARGV[i]] = ARGV[i + 1]
end
for _, row in ipairs(decided_after(KEYS[2], KEYS[3], ARGV[2], ARGV[4] == '1')) do
  if known[row[1]] ~= row[2] then
    strays[#strays + 1] = row[1]
  end
end
redis.call('HSET', KEYS[1], 'head', string.format('%.0f', math.max(noted, head)))
-- The last one comes first in the list.
for i = #strays, 1, -1 do
  local seq = redis.call('HINCRBY', KEYS[1], 'head', 1)
  redis.call('ZADD', KEYS[2], 'XX', seq, strays[i])
  for n, field in pairs({[4] = 'kill', [5] = 'left'}) do
    if redis.call('ZADD', KEYS[n], 'XX', 'CH', seq, strays[i]) == 1 then
      redis.call('HSET', KEYS[1], field, seq)
    end
  end
end
head = redis.call('HGET', KEYS[1], 'head')
-- A stamp of its own: what was read under these numbers before was of another history.
advance(KEYS[1])
redis.call('HSET', KEYS[1], 'head', head)
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[1], 'rebuilding', 1)
end
return strays
