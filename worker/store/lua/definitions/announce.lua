-- Keep the set of definitions that is in charge where every process can read it, and announce it.
-- KEYS 1 charge   2 current (hash)
-- ARGV 1 the charge under which this is   2 the definitions as JSON   3 channel
-- Returns 0 when another set has taken charge, else 1.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
-- A Redis that was emptied may give the charge a second time.
local announcement = string.format('%s %d%06d', ARGV[1], time[1], time[2])
redis.call('HSET', KEYS[2], 'announcement', announcement, 'definitions', ARGV[2])
redis.call('PUBLISH', ARGV[3], announcement)
return 1
