-- Take one attempt into an endpoint's health.
-- KEYS 1 health hash
-- ARGV 1 now (ms)   2 outcome   3 status   4 milliseconds   5 error   6 the beginning of the answer
-- Returns 1 when this success is the first since the endpoint was suspended, else 0.
local key, now, outcome = KEYS[1], ARGV[1], ARGV[2]
redis.call('HINCRBY', key, 'attempts', 1)
redis.call('HSET', key, 'last', now, 'status', ARGV[3])
if outcome == 'delivered' or outcome == 'refused' then
  -- Moving average over about the last ten.
  local before = redis.call('HGET', key, 'latency')
  local latency = before and (0.9 * before + 0.1 * ARGV[4]) or tonumber(ARGV[4])
  redis.call('HSET', key, 'latency', string.format('%.1f', latency), 'failures', 0)
end
if outcome ~= 'delivered' then
  redis.call('HSET', key, 'error', ARGV[5], 'answer', ARGV[6], 'failed', now)
  if outcome ~= 'refused' and outcome ~= 'given_back' then
    redis.call('HINCRBY', key, 'failures', 1)
  end
  if outcome == 'suspended' then
    redis.call('HSET', key, 'suspended', now)
  end
  return 0
end
redis.call('HINCRBY', key, 'successes', 1)
redis.call('HSET', key, 'success', now)
return redis.call('HDEL', key, 'suspended')
