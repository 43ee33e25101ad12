-- with outboxes/append.part receivers/state.part attempts/disputes.part
-- Have an endpoint tried now. If it is paused, it is resumed and its failures are forgotten. It leaves backoff,
-- whatever time it has asked for. Its disputes are due.
-- KEYS 1 meta   2 settled   3 claimed   4 backoff   5 paused   6 receiver states   7 receivers   8 disputed
--      9 disputes due   10 outbox
-- ARGV 1 receiver   2 now (ms)
-- Returns {number of the set that it was in, 1 when it is behind the head, disputes that are due now}; {} when it is in
-- none.
local id, now = ARGV[1], tonumber(ARGV[2])
local state = read_receiver_state(redis.call('HGET', KEYS[6], id), redis.call('HGET', KEYS[7], id))
local position
for n = 2, 5 do
  local score = redis.call('ZSCORE', KEYS[n], id)
  if score then
    position = n - 1
    state.cursor = n == 2 and tonumber(score) or state.cursor
  end
end
if not position then
  return {}
end
local due = 0
local disputed = redis.call('HGETALL', KEYS[8])
for n = 1, #disputed, 2 do
  local readable, dispute = pcall(cjson.decode, disputed[n + 1])
  if readable and type(dispute) == 'table' then
    dispute.due = now
    redis.call('HSET', KEYS[8], disputed[n], cjson.encode(dispute))
  end
  due = due + 1
end
plan_disputes(KEYS[8], KEYS[9], id)
local head = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
local behind = state.cursor < head
if position ~= 2 then
  redis.call('ZREM', KEYS[4], id)
  redis.call('ZREM', KEYS[5], id)
  -- Disputes are tried only while their endpoint is behind.
  local cursor = (behind or due == 0) and state.cursor or head - 1
  redis.call('ZADD', KEYS[2], cursor, id)
  append_standing(KEYS[10], id, cursor, cjson.null, '')
  if position == 4 or state.since == 0 then
    redis.call('HDEL', KEYS[6], id)
  else
    state.token, state['until'] = 0, 0
    redis.call('HSET', KEYS[6], id, cjson.encode(state))
  end
end
return {position, behind and 1 or 0, due}
