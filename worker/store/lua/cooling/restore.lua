-- Put an article back, unless it is there: from then on it is hot.
-- KEYS 1 article hash
-- ARGV 1 rev   2 the rev that the record has   3 doc JSON   4 feeds JSON   5 accepted (ms)   6 fingerprints
--      7 now (ms)
-- Returns 1, or 0 when it is there.
if redis.call('HEXISTS', KEYS[1], 'rev') == 1 then
  return 0
end
redis.call(
  'HSET', KEYS[1], 'doc', ARGV[3], 'feeds', ARGV[4], 'accepted', ARGV[5], 'fingerprints', ARGV[6], 'rev', ARGV[1],
  'recorded', ARGV[2] .. ' ' .. ARGV[1], 'warmed', ARGV[7]
)
return 1
