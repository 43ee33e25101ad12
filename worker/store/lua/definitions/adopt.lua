-- Have the feeds of a set of definitions maintained, and no others, from a new charge on.
-- KEYS 1 definitions   2 pending   3 former   4 index
-- ARGV 1 generation of the charge   2 when feeds that are not in the set are removed (ms)   3.. name, definition ...
-- Returns how many feeds must be indexed; when a later charge has been adopted, its generation as a negative number.
local adopted = tonumber(redis.call('HGET', KEYS[4], 'generation') or '0')
local generation = tonumber(ARGV[1])
if adopted > generation then
  return -adopted
end
local set = {}
for i = 3, #ARGV, 2 do
  set[ARGV[i]] = ARGV[i + 1]
end
if adopted < generation then
  -- Events have been carried out by other definitions, so articles that were indexed may have changed since.
  redis.call('DEL', KEYS[4])
  redis.call('HSET', KEYS[4], 'generation', generation)
end
for n = 1, 2 do
  local before = redis.call('HGETALL', KEYS[n])
  for i = 1, #before, 2 do
    local name, definition = before[i], before[i + 1]
    if set[name] ~= definition then
      redis.call('HDEL', KEYS[n], name)
    end
    if not set[name] then
      redis.call('HSETNX', KEYS[3], name, ARGV[2])
    end
  end
end
for name, definition in pairs(set) do
  redis.call('HDEL', KEYS[3], name)
  if redis.call('HEXISTS', KEYS[1], name) == 0 then
    redis.call('HSET', KEYS[2], name, definition)
  end
end
return redis.call('HLEN', KEYS[2])
