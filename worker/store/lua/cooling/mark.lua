-- Mark an article as about to become cold, or take the mark away, if nobody has saved it since it was read. The mark is
-- at the end of its rev: whoever has read it before and saves it, or looks whether it was saved, finds that out.
-- KEYS 1 article hash
-- ARGV 1 rev   2 the rev with the mark, or without   3 since when (ms), or '' to take the mark away
-- Returns 1, or 0 when it was saved.
if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'rev', ARGV[2])
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], 'cooling')
else
  redis.call('HSET', KEYS[1], 'cooling', ARGV[3])
end
return 1
