-- Note that the index is complete.
-- KEYS 1 definitions   2 pending   3 index
-- ARGV 1 generation of the charge
-- Returns 0 when a later charge has been adopted, else 1.
if redis.call('HGET', KEYS[3], 'generation') ~= ARGV[1] then
  return 0
end
local pending = redis.call('HGETALL', KEYS[2])
for i = 1, #pending, 2 do
  redis.call('HSET', KEYS[1], pending[i], pending[i + 1])
end
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[3], 'generation', ARGV[1])
return 1
