-- Save an article if nobody has saved it since it was read (compare-and-set on rev).
-- KEYS 1 article hash
-- ARGV 1 expected rev (0: not there)   2 doc JSON   3 feeds JSON   4 time its event was accepted (ms)
--      5 fingerprints of its earlier texts, separated by spaces   6 the new rev
-- Returns 1, or 0 when another save came first.
if (redis.call('HGET', KEYS[1], 'rev') or '0') ~= ARGV[1] then
  return 0
end
redis.call(
  'HSET', KEYS[1], 'doc', ARGV[2], 'feeds', ARGV[3], 'accepted', ARGV[4], 'fingerprints', ARGV[5], 'rev', ARGV[6]
)
return 1
