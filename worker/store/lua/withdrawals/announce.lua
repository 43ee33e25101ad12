-- Publish a withdrawal, and return who may still send without having received it, and for how long.
-- KEYS 1 senders
-- ARGV 1 channel   2 the withdrawal as JSON
-- Returns {sender, ms, sender, ms ...}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('PUBLISH', ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local answer = {}
local leases = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #leases, 2 do
  answer[#answer + 1] = leases[i]
  answer[#answer + 1] = leases[i + 1] - now + 1
end
return answer
