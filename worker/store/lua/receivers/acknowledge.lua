-- with receivers/state.part
-- Move the cursor of a receiver that reads for itself up to a change; never back.
-- KEYS 1 settled   2 claimed   3 backoff   4 paused   5 receiver states   6 receivers
-- ARGV 1 receiver   2 the change up to which it is up to date
-- Returns 1 when it is (or was) there, 0 when there is no such receiver, -1 while a worker has claimed it.
local id, cursor = ARGV[1], tonumber(ARGV[2])
local settled_at = redis.call('ZSCORE', KEYS[1], id)
if settled_at then
  if cursor > tonumber(settled_at) then
    redis.call('ZADD', KEYS[1], ARGV[2], id)
  end
  return 1
end
if redis.call('ZSCORE', KEYS[2], id) then
  return -1
end
if not redis.call('ZSCORE', KEYS[3], id) and not redis.call('ZSCORE', KEYS[4], id) then
  return 0
end
local state = read_receiver_state(redis.call('HGET', KEYS[5], id), redis.call('HGET', KEYS[6], id))
if cursor > state.cursor then
  state.cursor = cursor
  redis.call('HSET', KEYS[5], id, cjson.encode(state))
end
return 1
