-- with outboxes/append.part attempts/disputes.part endpoints/ledger.part
-- Keep attempts of endpoints of one feed, update the health of each, and note in its ledger what it has of the articles.
-- KEYS 1 outbox   2 disputes due   then of each endpoint: health, parked, ledger, disputed
-- ARGV 1.. of each endpoint: its name, how many attempts follow, and of each attempt: time (ms), article, outcome,
--      status, milliseconds, error, answer; what is appended of it to the outbox; the attempt as JSON if its article is
--      set aside, else ''; what becomes of the dispute about the article; how many entries for the ledger follow, and
--      of each the article and the entry. The dispute:
--      ''            there is no dispute
--      JSON          the dispute as it is now
--      parked_alone  the article is parked though there was no other to compare it with
--      recall        the endpoint refuses another article too, and has taken none since one was parked alone: that one
--                    is in dispute again
-- Returns for each endpoint 1 when it was suspended and has recovered, else 0; the error, if its records are damaged:
-- nobody else's attempts are lost for that.
local place = 1

-- Return the next arguments, so many of them.
local function take(count)
  place = place + count
  return unpack(ARGV, place - count, place - 1)
end

-- Update the health by one attempt. `before`: what stood there, read once for all attempts of the endpoint; `after`:
-- the fields that have changed, which the next attempt finds there.
local function judge(before, after, health, time, outcome, status, milliseconds, failure, answer)
  local function count(field)
    after[field] = string.format('%.0f', (tonumber(after[field] or before[field]) or 0) + 1)
  end
  count('attempts')
  if outcome == 'delivered' then
    count('outcome:delivered')
  else
    redis.call('HINCRBY', health, 'outcome:' .. outcome, 1)
  end
  if outcome ~= 'given_back' and outcome ~= 'handed_out' and outcome ~= 'parked' then
    after.last, after.status = time, status
  end
  if outcome == 'delivered' or outcome == 'refused' then
    -- Moving average over about the last ten.
    local average = tonumber(after.latency or before.latency or '')
    after.latency = string.format('%.1f', average and (0.9 * average + 0.1 * milliseconds) or tonumber(milliseconds))
    after.failures = '0'
  end
  if outcome == 'delivered' then
    count('successes')
    after.success = time
  elseif outcome ~= 'given_back' and outcome ~= 'handed_out' then
    after.error, after.answer, after.failed = failure, answer, time
    if outcome == 'refused' then
      after.parked = time
    elseif outcome ~= 'parked' then
      count('failures')
    end
  end
end

-- Note that the endpoint has taken an article: it is neither parked nor disputed, and nor is the endpoint suspended.
-- Returns whether the endpoint has recovered, and whether a dispute has ended.
local function settle(endpoint, article, before, health, parked, disputed)
  local ended = false
  if before.parked_alone then
    redis.call('HDEL', health, 'parked_alone')
    before.parked_alone = nil
  end
  if redis.call('EXISTS', parked, disputed) > 0 then
    if redis.call('HDEL', parked, article) == 1 then
      append(KEYS[1], 'parked', {endpoint, article, cjson.null})
    end
    ended = redis.call('HDEL', disputed, article) == 1
  end
  local recovered = before.suspended and redis.call('HDEL', health, 'suspended') == 1
  before.suspended = nil
  return recovered, ended
end

-- Note what an endpoint has made of an article that it has not taken; return whether a dispute has changed.
local function contest(endpoint, article, outcome, time, status, parking, dispute, before, health, parked, disputed)
  local changed = false
  if outcome == 'refused' or outcome == 'parked' then
    redis.call('HSET', parked, article, parking)
    append(KEYS[1], 'parked', {endpoint, article, parking})
    changed = redis.call('HDEL', disputed, article) == 1
    if dispute == 'parked_alone' then
      redis.call('HSET', health, 'parked_alone', article)
      before.parked_alone = article
    end
  end
  if dispute == 'recall' then
    local alone = before.parked_alone
    if alone and alone ~= article and redis.call('HDEL', parked, alone) == 1 then
      redis.call('HDEL', health, 'parked_alone')
      before.parked_alone = nil
      append(KEYS[1], 'parked', {endpoint, alone, cjson.null})
      local now = tonumber(time)
      redis.call('HSET', disputed, alone, cjson.encode({
        due = now, tries = 1, since = now, last = now, status = tonumber(status), reason = 'refused like another one',
      }))
      changed = true
    end
  elseif dispute ~= '' and dispute ~= 'parked_alone' then
    redis.call('HSET', disputed, article, dispute)
    changed = true
  end
  return changed
end

-- Note the entries for the ledger that follow. The answer of an endpoint counts even when its claim was taken over;
-- only an older version changes nothing. What is handed out anew is no news of what was acknowledged.
local function note(ledger, entries, outcome)
  for _ = 1, entries do
    local article, entry = take(2)
    local before = redis.call('HGET', ledger, article)
    local version = entry_version(before)
    local known = outcome == 'handed_out' and read_entry(before)
    local acknowledged = known and not known.outcome and known.status == read_entry(entry).status
      and known.version == entry_version(entry)
    if not acknowledged and (not version or version <= entry_version(entry)) then
      redis.call('HSET', ledger, article, entry)
    end
  end
end

local function record(endpoint, attempts, health, parked, ledger, disputed)
  local before, after, recovered, disputes_changed
  for _ = 1, attempts do
    local time, article, outcome, status, milliseconds, failure, answer, noted, parking, dispute, entries = take(11)
    append(KEYS[1], 'attempt', noted)
    if not before then
      local texts = redis.call(
        'HMGET', health, 'attempts', 'outcome:delivered', 'latency', 'successes', 'failures', 'parked_alone', 'suspended'
      )
      before, after = {
        attempts = texts[1], ['outcome:delivered'] = texts[2], latency = texts[3], successes = texts[4],
        failures = texts[5], parked_alone = texts[6], suspended = texts[7],
      }, {}
    end
    judge(before, after, health, time, outcome, status, milliseconds, failure, answer)
    local changed, has_recovered = false, false
    if outcome == 'delivered' then
      has_recovered, changed = settle(endpoint, article, before, health, parked, disputed)
    elseif outcome ~= 'given_back' and outcome ~= 'handed_out' then
      changed = contest(
        endpoint, article, outcome, time, status, parking, dispute, before, health, parked, disputed
      )
    end
    recovered, disputes_changed = recovered or has_recovered, disputes_changed or changed
    note(ledger, tonumber(entries), outcome)
  end
  local fields = {}
  for field, text in pairs(after) do
    fields[#fields + 1] = field
    fields[#fields + 1] = text
  end
  redis.call('HSET', health, unpack(fields))
  if disputes_changed then
    plan_disputes(disputed, KEYS[2], 'endpoint:' .. endpoint)
  end
  return recovered and 1 or 0
end

local answers = {}
for first = 3, #KEYS, 4 do
  local endpoint, attempts = take(2)
  local begun = place
  local worked, answer = pcall(record, endpoint, tonumber(attempts), unpack(KEYS, first, first + 3))
  answers[#answers + 1] = worked and answer or (type(answer) == 'table' and answer.err or tostring(answer))
  if not worked then
    -- Where the next endpoint begins.
    place = begun
    for _ = 1, tonumber(attempts) do
      place = place + 11 + 2 * tonumber(ARGV[place + 10])
    end
  end
end
return answers
