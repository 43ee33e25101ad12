-- Claim what is due: subscription requests to verify, or pages to check. It comes due again at the deadline unless its
-- outcome is noted before.
-- KEYS 1 sorted set: member -> when it is due (ms)   2 hash: member -> its JSON
-- ARGV 1 now (ms)   2 how many at the most   3 deadline (ms)
-- Returns {member, its JSON, ...}.
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local answer = {}
for _, member in ipairs(members) do
  local json = redis.call('HGET', KEYS[2], member)
  if json then
    redis.call('ZADD', KEYS[1], ARGV[3], member)
    answer[#answer + 1] = member
    answer[#answer + 1] = json
  else
    -- It was forgotten meanwhile.
    redis.call('ZREM', KEYS[1], member)
  end
end
return answer
