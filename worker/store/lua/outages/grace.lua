-- Note that receivers are swept. A long pause since the last time was an outage: nobody could renew a lease then, so
-- leases that end during the outage, or within as much time after it, last longer by the outage.
-- KEYS 1 hash
-- ARGV 1 now (ms)   2 how long receivers may not have been swept before it counts as an outage (ms)
-- Returns {by how much leases last longer now (ms), the outage that has just ended (ms) or 0}.
local now = tonumber(ARGV[1])
local times = redis.call('HMGET', KEYS[1], 'swept', 'longer', 'until')
local swept, longer, lasts_until = tonumber(times[1] or now), tonumber(times[2] or 0), tonumber(times[3] or 0)
local outage = now - swept
if lasts_until <= now then
  longer = 0
end
redis.call('HSET', KEYS[1], 'swept', ARGV[1])
if outage <= tonumber(ARGV[2]) then
  return {longer, 0}
end
longer = longer + outage
redis.call('HSET', KEYS[1], 'longer', string.format('%.0f', longer), 'until', string.format('%.0f', now + 2 * longer))
return {longer, outage}
