-- Note that Redis belongs to a record. Whoever was in charge of events before is so no longer: what it is carrying out
-- is carried out again.
-- KEYS 1 epoch   2 charge
-- ARGV 1 epoch of the record
redis.call('SET', KEYS[1], ARGV[1])
local _, generation = string.match(redis.call('GET', KEYS[2]) or '0 0', '^(%d+) (%d+)$')
-- From the clock: no charge of before has this generation, also when Redis has forgotten that there were any.
local now = tonumber(redis.call('TIME')[1])
redis.call('SET', KEYS[2], string.format('0 %d', math.max(tonumber(generation or '0') + 1, now)))
