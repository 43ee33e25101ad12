-- with receivers/state.part
-- Read how an endpoint stands, all of one moment.
-- KEYS 1 meta   2 log   3 states   4 settled   5 claimed   6 backoff   7 paused   8 holds   9 receivers   10 disputes
--      11 health   12 parked   13 disputed   14 ledger   15 replay
-- ARGV 1 receiver   2 how many changes beyond its cursor are looked at one by one
-- Returns {number of the set that it is in, 0: none, its score there, its hold or '', articles that it has still to be
-- told of, when the oldest of them changed (ms, 0: none), articles parked, in dispute, when the first of the latter is tried
-- again (ms, 0: none), articles to be sent again, kills in dispute, its health as names and values by turns}.
local id = ARGV[1]
local position, score = 0, '0'
for n = 4, 7 do
  local found = redis.call('ZSCORE', KEYS[n], id)
  if found then
    position, score = n - 3, found
  end
end
local hold = redis.call('HGET', KEYS[8], id) or ''
local waits, oldest = 0, '0'
if position > 0 then
  local cursor = position == 1 and score or remembered(hold, redis.call('HGET', KEYS[9], id))
  local from = string.format('(%.0f', cursor)
  waits = redis.call('ZCOUNT', KEYS[2], from, '+inf')
  local changed = redis.call('ZRANGEBYSCORE', KEYS[2], from, '+inf', 'LIMIT', 0, ARGV[2])
  if #changed > 0 then
    local states = redis.call('HMGET', KEYS[3], unpack(changed))
    local ledger = redis.call('HMGET', KEYS[14], unpack(changed))
    for n = 1, #changed do
      -- What was told beyond the cursor is in the ledger: several may be in flight, or it is sent something again.
      local version, asof, state = string.match(states[n] or '', '^(%d+):(%d+):(%a+)')
      local held, status = string.match(ledger[n] or '', '^(%d+):(%a+):')
      local there, shown = state == 'in' or state == 'early', status == 'published' or status == 'corrected'
      if held and version and tonumber(held) >= tonumber(version) and there == shown then
        waits = waits - 1
      elseif asof and oldest == '0' then
        oldest = asof
      end
    end
  end
end
local kills = 0
for _, article in ipairs(redis.call('HKEYS', KEYS[13])) do
  if string.match(redis.call('HGET', KEYS[14], article) or '', '^%d+:%a+%-killed:') then
    kills = kills + 1
  end
end
return {
  position, score, hold, waits, oldest,
  redis.call('HLEN', KEYS[12]), redis.call('HLEN', KEYS[13]), redis.call('ZSCORE', KEYS[10], id) or '0',
  redis.call('ZCARD', KEYS[15]), kills, redis.call('HGETALL', KEYS[11]),
}
