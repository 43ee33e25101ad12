-- with outboxes/append.part attempts/disputes.part endpoints/ledger.part
-- Keep attempts of one endpoint, update its health, and note in its ledger what it has of the articles.
-- KEYS 1 outbox   2 health   3 parked   4 ledger   5 disputed   6 disputes due
-- ARGV 1 the endpoint   2 the names of the fields of an attempt that are given, separated by commas   then for each
--      attempt these fields, and: what is appended of it to the outbox; the attempt as JSON if its article is set aside,
--      else ''; entries for the ledger as JSON, {article: entry}, or ''; and what becomes of the dispute about the
--      article:
--      ''            there is no dispute
--      JSON          the dispute as it is now
--      parked_alone  the article is parked though there was no other to compare it with
--      recall        the endpoint refuses another article too, and has taken none since one was parked alone: that one
--                    is in dispute again
-- Returns 1 when the endpoint was suspended and has recovered, else 0.
local names = {}
for name in string.gmatch(ARGV[2], '[^,]+') do
  names[#names + 1] = name
end
local health = KEYS[2]
local recovered, disputes_changed = 0, false
for first = 3, #ARGV, #names + 4 do
  local attempt = {}
  for n, name in ipairs(names) do
    attempt[name] = ARGV[first + n - 1]
  end
  local noted, as_json, entries, dispute = unpack(ARGV, first + #names, first + #names + 3)
  local now, outcome = attempt.time, attempt.outcome
  append(KEYS[1], 'attempt', noted)
  redis.call('HINCRBY', health, 'attempts', 1)
  redis.call('HINCRBY', health, 'outcome:' .. outcome, 1)
  if outcome ~= 'given_back' and outcome ~= 'parked' then
    redis.call('HSET', health, 'last', now, 'status', attempt.status)
  end
  if outcome == 'delivered' or outcome == 'refused' then
    -- Moving average over about the last ten.
    local before = tonumber(redis.call('HGET', health, 'latency') or '')
    local latency = before and (0.9 * before + 0.1 * attempt.milliseconds) or tonumber(attempt.milliseconds)
    redis.call('HSET', health, 'latency', string.format('%.1f', latency), 'failures', 0)
  end
  if outcome == 'delivered' then
    redis.call('HINCRBY', health, 'successes', 1)
    redis.call('HSET', health, 'success', now)
    redis.call('HDEL', health, 'parked_alone')
    if redis.call('HDEL', KEYS[3], attempt.article) == 1 then
      append(KEYS[1], 'parked', {ARGV[1], attempt.article, cjson.null})
    end
    disputes_changed = redis.call('HDEL', KEYS[5], attempt.article) == 1 or disputes_changed
    if redis.call('HDEL', health, 'suspended') == 1 then
      recovered = 1
    end
  elseif outcome ~= 'given_back' then
    redis.call('HSET', health, 'error', attempt.error, 'answer', attempt.answer, 'failed', now)
    if outcome == 'refused' or outcome == 'parked' then
      redis.call('HSET', KEYS[3], attempt.article, as_json)
      append(KEYS[1], 'parked', {ARGV[1], attempt.article, as_json})
      disputes_changed = redis.call('HDEL', KEYS[5], attempt.article) == 1 or disputes_changed
      if outcome == 'refused' then
        redis.call('HSET', health, 'parked', now)
      end
      if dispute == 'parked_alone' then
        redis.call('HSET', health, 'parked_alone', attempt.article)
      end
    else
      redis.call('HINCRBY', health, 'failures', 1)
    end
    if dispute == 'recall' then
      local alone = redis.call('HGET', health, 'parked_alone')
      if alone and alone ~= attempt.article and redis.call('HDEL', KEYS[3], alone) == 1 then
        redis.call('HDEL', health, 'parked_alone')
        append(KEYS[1], 'parked', {ARGV[1], alone, cjson.null})
        local time = tonumber(now)
        redis.call('HSET', KEYS[5], alone, cjson.encode({
          due = time, tries = 1, since = time, last = time, status = tonumber(attempt.status),
          reason = 'refused like another one',
        }))
        disputes_changed = true
      end
    elseif dispute ~= '' and dispute ~= 'parked_alone' then
      redis.call('HSET', KEYS[5], attempt.article, dispute)
      disputes_changed = true
    end
  end
  -- The answer of an endpoint counts even when its claim was taken over; only an older version changes nothing.
  if entries ~= '' then
    for article, text in pairs(cjson.decode(entries)) do
      local before, after = read_entry(redis.call('HGET', KEYS[4], article)), read_entry(text)
      if not before or before.version <= after.version then
        redis.call('HSET', KEYS[4], article, text)
      end
    end
  end
end
if disputes_changed then
  plan_disputes(KEYS[5], KEYS[6], 'endpoint:' .. ARGV[1])
end
return recovered
