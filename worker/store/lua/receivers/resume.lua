-- with outboxes/append.part receivers/state.part
-- Resume a paused receiver: it becomes settled with its old cursor, and its failures are forgotten.
-- KEYS 1 settled   2 paused   3 receiver states   4 receivers   5 outbox
-- ARGV 1 receiver
-- Returns 1 when it was paused, else 0.
if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then
  return 0
end
local state = read_receiver_state(redis.call('HGET', KEYS[3], ARGV[1]), redis.call('HGET', KEYS[4], ARGV[1]))
redis.call('ZADD', KEYS[1], state.cursor, ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
append_standing(KEYS[5], ARGV[1], state.cursor, cjson.null, '')
return 1
