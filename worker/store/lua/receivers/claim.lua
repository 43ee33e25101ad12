-- Claim receivers that are behind the head, those furthest behind first.
-- KEYS 1 meta   2 settled   3 claimed   4 holds   5 receivers   6 backoff
-- ARGV 1 how many at the most   2 deadline of the claim (ms)
-- Returns {head, kill, the last change by which an article left otherwise, receivers in backoff, moments of its last moves,
-- token, receiver, cursor, hold or false, details, receiver, ...}.
local meta = redis.call('HMGET', KEYS[1], 'head', 'kill', 'left', 'trail')
local head = tonumber(meta[1] or '0')
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. head, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
local answer = {
  head, tonumber(meta[2] or '0'), tonumber(meta[3] or '0'), redis.call('ZCARD', KEYS[6]), meta[4] or '', 0,
}
if #found == 0 then
  return answer
end
local token = redis.call('HINCRBY', KEYS[1], 'fence', 1)
answer[6] = token
local ids, deadlines = {}, {}
for i = 1, #found, 2 do
  ids[#ids + 1] = found[i]
  deadlines[#deadlines + 1] = ARGV[2]
  deadlines[#deadlines + 1] = found[i]
end
redis.call('ZREM', KEYS[2], unpack(ids))
redis.call('ZADD', KEYS[3], unpack(deadlines))
local held = redis.call('HMGET', KEYS[4], unpack(ids))
local details = redis.call('HMGET', KEYS[5], unpack(ids))
local holds = {}
for i = 1, #ids do
  local cursor = string.format('%.0f', found[2 * i])
  local rest = string.match(held[i] or '', '^%d+:%d+:(%d+:%d+:%d+:.*)$') or '0:0:0:'
  holds[#holds + 1] = ids[i]
  holds[#holds + 1] = string.format('%d:%s:%s', token, cursor, rest)
  answer[#answer + 1] = ids[i]
  answer[#answer + 1] = cursor
  answer[#answer + 1] = held[i]
  answer[#answer + 1] = details[i]
end
redis.call('HSET', KEYS[4], unpack(holds))
return answer
