-- with receivers/state.part attempts/disputes.part
-- Have an endpoint tried now: taken up again if it is paused, its failures forgotten; out of backoff, whatever time it has
-- asked for; and what it refuses while it takes others is due.
-- KEYS 1 meta   2 settled   3 claimed   4 backoff   5 paused   6 holds   7 receivers   8 disputed   9 disputes
-- ARGV 1 receiver   2 now (ms)
-- Returns {number of the set that it was in, 1 when it is behind the head, articles in dispute that are due now}; {} when it
-- is in none.
local id, now = ARGV[1], ARGV[2]
local cursor, rest = remembered(redis.call('HGET', KEYS[6], id), redis.call('HGET', KEYS[7], id))
local position
for n = 2, 5 do
  local score = redis.call('ZSCORE', KEYS[n], id)
  if score then
    position = n - 1
    cursor = n == 2 and score or cursor
  end
end
if not position then
  return {}
end
local due = 0
local disputed = redis.call('HGETALL', KEYS[8])
for n = 1, #disputed, 2 do
  redis.call('HSET', KEYS[8], disputed[n], (string.gsub(disputed[n + 1], '^%d+', now)))
  due = due + 1
end
plan_disputes(KEYS[8], KEYS[9], id)
local head = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
local behind = tonumber(cursor) < head
if position ~= 2 then
  redis.call('ZREM', KEYS[4], id)
  redis.call('ZREM', KEYS[5], id)
  -- What is in dispute is found by an endpoint that is behind.
  redis.call('ZADD', KEYS[2], (behind or due == 0) and cursor or string.format('%.0f', head - 1), id)
  local since, last, reason = string.match(rest, '^(%d+):(%d+):%d+:(.*)$')
  if position == 4 or not since or since == '0' then
    redis.call('HDEL', KEYS[6], id)
  else
    redis.call('HSET', KEYS[6], id, string.format('0:%.0f:%s:%s:0:%s', cursor, since, last, reason))
  end
end
return {position, behind and 1 or 0, due}
