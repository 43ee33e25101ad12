-- Take what is due, requests to be verified or pages to be looked at; it comes due again at the deadline unless what
-- came of it is told before.
-- KEYS 1 sorted set of when each is due (ms)   2 hash of what each is
-- ARGV 1 now (ms)   2 how many at the most   3 deadline (ms)
-- Returns {member, its JSON, ...}.
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local answer = {}
for _, id in ipairs(ids) do
  local what = redis.call('HGET', KEYS[2], id)
  if what then
    redis.call('ZADD', KEYS[1], ARGV[3], id)
    answer[#answer + 1] = id
    answer[#answer + 1] = what
  else
    -- Nothing is known of it any more.
    redis.call('ZREM', KEYS[1], id)
  end
end
return answer
