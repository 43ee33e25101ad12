-- Note that receivers are swept, and see whether that was not done for a while: so long nobody could renew a lease, and
-- so much longer each one lasts that ends during the outage or within as much time after it.
-- KEYS 1 hash
-- ARGV 1 now (ms)   2 how long receivers may not have been swept before it counts as an outage (ms)
-- Returns {by how much leases last longer now (ms), the outage that was found just now (ms) or 0}.
local now = tonumber(ARGV[1])
local kept = redis.call('HMGET', KEYS[1], 'swept', 'longer', 'until')
local swept, longer, till = tonumber(kept[1] or now), tonumber(kept[2] or 0), tonumber(kept[3] or 0)
local away = now - swept
if till <= now then
  longer = 0
end
redis.call('HSET', KEYS[1], 'swept', ARGV[1])
if away <= tonumber(ARGV[2]) then
  return {longer, 0}
end
longer = longer + away
redis.call('HSET', KEYS[1], 'longer', string.format('%.0f', longer), 'until', string.format('%.0f', now + 2 * longer))
return {longer, away}
