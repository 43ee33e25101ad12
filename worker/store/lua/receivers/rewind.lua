-- with outboxes/append.part receivers/state.part
-- Set a receiver's cursor one change back, so that it is behind and will be claimed: it gets something again.
-- KEYS 1 meta   2 settled   3 claimed   4 receiver states   5 paused   6 outbox
-- ARGV 1 receiver
-- Returns 1 when it will be claimed (now, or when it comes out of backoff or pause), 0 when a worker has claimed it.
local head = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  return 0
end
if head == 0 then
  -- Nothing has ever been in the feed, so there is nothing to send again.
  return 1
end
local cursor = redis.call('ZSCORE', KEYS[2], ARGV[1])
if cursor then
  if tonumber(cursor) >= head then
    redis.call('ZADD', KEYS[2], head - 1, ARGV[1])
    append_standing(KEYS[6], ARGV[1], head - 1, cjson.null, '')
  end
  return 1
end
local state, remembered = read_receiver_state(redis.call('HGET', KEYS[4], ARGV[1]))
if remembered and state.cursor >= head then
  state.cursor = head - 1
  redis.call('HSET', KEYS[4], ARGV[1], cjson.encode(state))
  local paused = tonumber(redis.call('ZSCORE', KEYS[5], ARGV[1]) or '')
  append_standing(KEYS[6], ARGV[1], state.cursor, paused or cjson.null, paused and state.reason or '')
end
return 1
