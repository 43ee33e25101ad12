-- with receivers/state.part
-- Pause a receiver wherever it stands, its cursor kept. A worker that holds it is fenced off.
-- KEYS 1 settled   2 claimed   3 backoff   4 paused   5 holds   6 receivers
-- ARGV 1 receiver   2 now (ms)   3 reason
-- Returns 1 when it is paused now, 0 when it was paused or is unknown.
local id = ARGV[1]
local cursor = redis.call('ZSCORE', KEYS[1], id)
local kept = redis.call('HGET', KEYS[5], id)
local held, rest = remembered(kept, redis.call('HGET', KEYS[6], id))
if not cursor and (kept or redis.call('ZSCORE', KEYS[2], id) or redis.call('ZSCORE', KEYS[3], id)) then
  cursor = held
end
if not cursor or redis.call('ZSCORE', KEYS[4], id) then
  return 0
end
for i = 1, 3 do
  redis.call('ZREM', KEYS[i], id)
end
redis.call('ZADD', KEYS[4], ARGV[2], id)
redis.call('HSET', KEYS[5], id, string.format('0:%.0f:%s:%s', cursor, string.match(rest, '^%d+:%d+:%d+'), ARGV[3]))
return 1
