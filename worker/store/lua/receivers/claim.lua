-- with receivers/state.part
-- Claim receivers that are behind the head, those furthest behind first.
-- KEYS 1 meta   2 settled   3 claimed   4 receiver states   5 receivers   6 backoff   7 pulled: never claimed
-- ARGV 1 how many at the most   2 deadline of the claim (ms)   3 of more than these half
-- Returns {1 if others may be behind, head, last kill, the last change by which an article left in another way,
-- receivers in backoff, times of the head's last moves, token, receiver, cursor, state before or false, details,
-- receiver, ...}.
local meta = redis.call('HMGET', KEYS[1], 'head', 'kill', 'left', 'trail', 'rebuilding')
local head = tonumber(meta[1] or '0')
local behind, more = {}, 0
if not meta[5] then
  -- Of a feed that is being rebuilt the log may lack what they are to get.
  local pulled = redis.call('SCARD', KEYS[7])
  local count, shared_above = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. head), tonumber(ARGV[3])
  -- Of many, who claims first leaves something to the others.
  local limit = math.min(ARGV[1], count > shared_above and math.ceil(count / 2) or shared_above)
  behind = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. head, 'WITHSCORES', 'LIMIT', 0, limit + pulled)
  if pulled > 0 then
    local pushed = {}
    for i = 1, #behind, 2 do
      if #pushed < 2 * limit and redis.call('SISMEMBER', KEYS[7], behind[i]) == 0 then
        pushed[#pushed + 1] = behind[i]
        pushed[#pushed + 1] = behind[i + 1]
      end
    end
    behind = pushed
  end
  more = #behind == 2 * limit and count > limit and 1 or 0
end
local answer = {
  more,
  head, tonumber(meta[2] or '0'), tonumber(meta[3] or '0'), redis.call('ZCARD', KEYS[6]), meta[4] or '', 0,
}
if #behind == 0 then
  return answer
end
local token = redis.call('HINCRBY', KEYS[1], 'fence', 1)
answer[7] = token
local ids, deadlines = {}, {}
for i = 1, #behind, 2 do
  ids[#ids + 1] = behind[i]
  deadlines[#deadlines + 1] = ARGV[2]
  deadlines[#deadlines + 1] = behind[i]
end
redis.call('ZREM', KEYS[2], unpack(ids))
redis.call('ZADD', KEYS[3], unpack(deadlines))
local before = redis.call('HMGET', KEYS[4], unpack(ids))
local details = redis.call('HMGET', KEYS[5], unpack(ids))
local claimed = {}
for i = 1, #ids do
  local cursor = string.format('%.0f', behind[2 * i])
  local state, remembered = read_receiver_state(before[i])
  claimed[#claimed + 1] = ids[i]
  if remembered then
    state.token, state.cursor = token, tonumber(cursor)
    claimed[#claimed + 1] = cjson.encode(state)
  else
    -- Most receivers: those that do not fail have no state.
    claimed[#claimed + 1] = string.format(
      '{"token":%d,"cursor":%s,"since":0,"last":0,"until":0,"reason":""}', token, cursor
    )
  end
  answer[#answer + 1] = ids[i]
  answer[#answer + 1] = cursor
  answer[#answer + 1] = before[i]
  answer[#answer + 1] = details[i]
end
redis.call('HSET', KEYS[4], unpack(claimed))
return answer
