-- Have the feeds of a set of definitions maintained, and no others, from a new charge on.
-- KEYS 1 definitions   2 pending   3 former   4 index
-- ARGV 1 generation of the charge   2 when feeds that are not among them are no more (ms)   3.. name, definition ...
-- Returns how many feeds have to be indexed; when a later charge has been adopted, its generation as a negative number.
local held = tonumber(redis.call('HGET', KEYS[4], 'generation') or '0')
local mine = tonumber(ARGV[1])
if held > mine then
  return -held
end
local wanted = {}
for i = 3, #ARGV, 2 do
  wanted[ARGV[i]] = ARGV[i + 1]
end
if held < mine then
  -- Events have been carried out by other definitions, so what has been gone through may have changed since.
  redis.call('DEL', KEYS[4])
  redis.call('HSET', KEYS[4], 'generation', mine)
end
for n = 1, 2 do
  local known = redis.call('HGETALL', KEYS[n])
  for i = 1, #known, 2 do
    if wanted[known[i]] ~= known[i + 1] then
      redis.call('HDEL', KEYS[n], known[i])
    end
    if not wanted[known[i]] then
      redis.call('HSETNX', KEYS[3], known[i], ARGV[2])
    end
  end
end
for name, definition in pairs(wanted) do
  redis.call('HDEL', KEYS[3], name)
  if redis.call('HEXISTS', KEYS[1], name) == 0 then
    redis.call('HSET', KEYS[2], name, definition)
  end
end
return redis.call('HLEN', KEYS[2])
