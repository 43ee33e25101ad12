-- with outboxes/append.part receivers/state.part
-- Add an endpoint as a receiver that is up to date, or restore one that was removed from the settings before.
-- KEYS 1 meta   2 settled   3 paused   4 receiver states   5 receivers   6 outbox   7 pulled
-- ARGV 1 receiver   2 details JSON   3 the change up to which a new one is up to date, or '': the head
--      4 whether its partner reads for itself: 1 or 0
-- Returns 1 when it is new, 2 when it is back, 0 when it was there.
redis.call(ARGV[4] == '1' and 'SADD' or 'SREM', KEYS[7], ARGV[1])
if redis.call('HEXISTS', KEYS[5], ARGV[1]) == 0 then
  local head = ARGV[3] ~= '' and ARGV[3] or redis.call('HGET', KEYS[1], 'head') or '0'
  -- `since`: an endpoint gets no articles that were in the feed before it came.
  local details = cjson.decode(ARGV[2])
  details.since = tonumber(head)
  redis.call('HSET', KEYS[5], ARGV[1], cjson.encode(details))
  redis.call('ZADD', KEYS[2], head, ARGV[1])
  append_standing(KEYS[6], ARGV[1], head, cjson.null, '', details.since)
  return 1
end
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  return 0
end
local text = redis.call('HGET', KEYS[4], ARGV[1])
local state = read_receiver_state(text, redis.call('HGET', KEYS[5], ARGV[1]))
-- If its state is lost, so is the reason of its pause: the settings name it, so it goes on.
if text and state.reason ~= 'removed' then
  return 0
end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('ZADD', KEYS[2], state.cursor, ARGV[1])
append_standing(KEYS[6], ARGV[1], state.cursor, cjson.null, '')
return 2
