-- Read what endpoints of one feed answered last.
-- KEYS 1.. of each endpoint: health, disputed
-- ARGV 1.. none
-- Returns of each: when it took something, when something was parked there (ms, nil: never), its disputes, each the
-- article and the dispute as JSON.
local standings = {}
for first = 1, #KEYS, 2 do
  local times = redis.call('HMGET', KEYS[first], 'success', 'parked')
  standings[#standings + 1] = times[1]
  standings[#standings + 1] = times[2]
  standings[#standings + 1] = redis.call('HGETALL', KEYS[first + 1])
end
return standings
