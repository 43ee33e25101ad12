-- with receivers/state.part
-- Count the receivers of a feed. A receiver that is claimed or in backoff is behind; a paused one may be up to date.
-- KEYS 1 meta   2 settled   3 claimed   4 backoff   5 paused   6 receiver states
-- ARGV 1 how many of the paused are checked, at the most; the others count as behind
-- Returns how many are settled, claimed, in backoff, paused; and how many of all are behind the head.
local head = tonumber(redis.call('HGET', KEYS[1], 'head') or 0)
local counts = {}
for n = 2, 5 do
  counts[n - 1] = redis.call('ZCARD', KEYS[n])
end
local behind = redis.call('ZCOUNT', KEYS[2], '-inf', string.format('(%.0f', head)) + counts[2] + counts[3]
behind = behind + math.max(0, counts[4] - tonumber(ARGV[1]))
for _, id in ipairs(redis.call('ZRANGE', KEYS[5], 0, ARGV[1] - 1)) do
  if read_receiver_state(redis.call('HGET', KEYS[6], id)).cursor < head then
    behind = behind + 1
  end
end
counts[5] = behind
return counts
