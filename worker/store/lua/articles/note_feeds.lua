-- Note in which feeds an article is or was, if nobody has saved it since it was read.
-- KEYS 1 article hash
-- ARGV 1 expected rev   2 feeds JSON   3 the new rev
-- Returns 1, or 0 when another save came first.
if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'feeds', ARGV[2], 'rev', ARGV[3])
return 1
