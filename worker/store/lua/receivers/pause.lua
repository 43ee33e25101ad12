-- with outboxes/append.part receivers/state.part
-- Pause a receiver wherever it stands, its cursor kept. A worker that has claimed it is fenced off.
-- KEYS 1 settled   2 claimed   3 backoff   4 paused   5 receiver states   6 receivers
--      7 outbox
-- ARGV 1 receiver   2 now (ms)   3 reason
-- Returns 1 when it is paused now, 0 when it was paused or is unknown.
local id = ARGV[1]
local settled_at = redis.call('ZSCORE', KEYS[1], id)
local text = redis.call('HGET', KEYS[5], id)
local exists = settled_at or text or redis.call('ZSCORE', KEYS[2], id) or redis.call('ZSCORE', KEYS[3], id)
if not exists or redis.call('ZSCORE', KEYS[4], id) then
  return 0
end
local state = read_receiver_state(text, redis.call('HGET', KEYS[6], id))
for i = 1, 3 do
  redis.call('ZREM', KEYS[i], id)
end
redis.call('ZADD', KEYS[4], ARGV[2], id)
state.token, state.cursor, state.reason = 0, tonumber(settled_at or state.cursor), ARGV[3]
redis.call('HSET', KEYS[5], id, cjson.encode(state))
append_standing(KEYS[7], id, state.cursor, tonumber(ARGV[2]), state.reason)
return 1
