-- Save an article if nobody has saved it since it was read (compare-and-set on rev). Until the record has noted it, the
-- revision that it replaces stays in `earlier`: of each a line with when its event was accepted, the id of the event, and
-- the document, with a space between them.
-- KEYS 1 article hash
-- ARGV 1 expected rev (0: not there)   2 doc JSON   3 feeds JSON   4 time its event was accepted (ms)
--      5 fingerprints of its earlier texts, separated by spaces   6 the new rev   7 id of the event   8 its result
--      9 bytes of `earlier` at the most: the oldest go
-- Returns 1, or 0 when another save came first.
local before = redis.call('HMGET', KEYS[1], 'rev', 'doc', 'accepted', 'event', 'earlier')
if (before[1] or '0') ~= ARGV[1] then
  return 0
end
if before[2] then
  local earlier = (before[5] or '') .. (before[3] or '0') .. ' ' .. (before[4] or '') .. ' ' .. before[2] .. '\n'
  while #earlier > tonumber(ARGV[9]) do
    earlier = string.sub(earlier, string.find(earlier, '\n', 1, true) + 1)
  end
  redis.call('HSET', KEYS[1], 'earlier', earlier)
end
redis.call(
  'HSET', KEYS[1], 'doc', ARGV[2], 'feeds', ARGV[3], 'accepted', ARGV[4], 'fingerprints', ARGV[5], 'rev', ARGV[6],
  'event', ARGV[7], 'result', ARGV[8]
)
return 1
