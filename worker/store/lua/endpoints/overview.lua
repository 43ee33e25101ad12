-- with receivers/state.part changes/state.part endpoints/ledger.part
-- Read how an endpoint is doing, all at one moment.
-- KEYS 1 meta   2 log   3 article states   4 settled   5 claimed   6 backoff   7 paused   8 receiver states
--      9 receivers   10 disputes due   11 health   12 parked   13 disputed   14 ledger   15 replay articles
-- ARGV 1 receiver   2 how many changes beyond its cursor are checked one by one
-- Returns {number of the set that it is in, 0: none, its score there, its state or '', articles that it still has to be
-- sent, when the oldest of them changed (ms, 0: none), articles parked, articles in dispute, when the first of these is
-- tried again (ms, 0: none), articles to be sent again, kills in dispute, its health as names and values in turn}.
local id = ARGV[1]
local position, score = 0, '0'
for n = 4, 7 do
  local place = redis.call('ZSCORE', KEYS[n], id)
  if place then
    position, score = n - 3, place
  end
end
local state = redis.call('HGET', KEYS[8], id) or ''
local waiting, oldest = 0, '0'
if position > 0 then
  local cursor = position == 1 and score or read_receiver_state(state, redis.call('HGET', KEYS[9], id)).cursor
  local from = string.format('(%.0f', cursor)
  waiting = redis.call('ZCOUNT', KEYS[2], from, '+inf')
  local changed = redis.call('ZRANGEBYSCORE', KEYS[2], from, '+inf', 'LIMIT', 0, ARGV[2])
  if #changed > 0 then
    local states = redis.call('HMGET', KEYS[3], unpack(changed))
    local ledger = redis.call('HMGET', KEYS[14], unpack(changed))
    for n = 1, #changed do
      -- Articles beyond the cursor that it has already are in its ledger: several may be in flight at a time.
      local article, entry = read_article_state(states[n]), read_entry(ledger[n])
      local accepted = entry and not entry.outcome and article and entry.version >= article.version
      local listed = article and (article.state == 'in' or article.state == 'early')
      local usable = entry and (entry.status == 'published' or entry.status == 'corrected')
      if accepted and listed == usable then
        waiting = waiting - 1
      elseif article and oldest == '0' then
        oldest = string.format('%.0f', article.asof)
      end
    end
  end
end
local kills = 0
for _, article in ipairs(redis.call('HKEYS', KEYS[13])) do
  local entry = read_entry(redis.call('HGET', KEYS[14], article))
  if entry and entry.status == 'killed' and entry.outcome then
    kills = kills + 1
  end
end
return {
  position, score, state, waiting, oldest,
  redis.call('HLEN', KEYS[12]), redis.call('HLEN', KEYS[13]), redis.call('ZSCORE', KEYS[10], id) or '0',
  redis.call('ZCARD', KEYS[15]), kills, redis.call('HGETALL', KEYS[11]),
}
