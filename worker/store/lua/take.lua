-- Take requests whose verification is due; they come due again at the deadline unless they are resolved.
-- KEYS 1 pending   2 requests
-- ARGV 1 now (ms)   2 how many at the most   3 deadline (ms)
-- Returns {subscription, request JSON, ...}.
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local answer = {}
for _, id in ipairs(ids) do
  redis.call('ZADD', KEYS[1], ARGV[3], id)
  answer[#answer + 1] = id
  answer[#answer + 1] = redis.call('HGET', KEYS[2], id)
end
return answer
