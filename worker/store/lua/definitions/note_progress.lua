-- Note how far the index has come; with no article, that it is complete.
-- KEYS 1 definitions   2 pending   3 index
-- ARGV 1 generation of the charge   2 articles that were indexed   3 ... of how many   4 the last of them or ''
--      5 its place
-- Returns 0 when a later charge has been adopted, else 1.
if redis.call('HGET', KEYS[3], 'generation') ~= ARGV[1] then
  return 0
end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[3], 'done', ARGV[2], 'all', ARGV[3], 'article', ARGV[4], 'place', ARGV[5])
  return 1
end
local pending = redis.call('HGETALL', KEYS[2])
for i = 1, #pending, 2 do
  redis.call('HSET', KEYS[1], pending[i], pending[i + 1])
end
redis.call('DEL', KEYS[2])
redis.call('HDEL', KEYS[3], 'done', 'all', 'article', 'place')
return 1
