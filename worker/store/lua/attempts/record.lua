-- with attempts/disputes.part
-- Keep attempts of one endpoint, take them into its health, and note in its ledger what it has of the articles.
-- KEYS 1 attempts (stream)   2 health   3 parked   4 ledger   5 disputed   6 disputes
-- ARGV 1 how many attempts are kept, about   2 the names of an attempt's fields, by commas   3 the endpoint as a receiver
--      then for each attempt   its fields; all of it as JSON if it is to be parked, else ''; what is to be noted as
--      JSON, {article: "version:status:time:sha256"}, or ''; the dispute that goes on, or '';
--      alone: the article is parked though there was no other to compare it with; recall: an article of that kind, since
--      which nothing was taken, is in dispute again
-- Returns 1 when the endpoint was suspended and has recovered, else 0.
local names = {}
for name in string.gmatch(ARGV[2], '[^,]+') do
  names[#names + 1] = name
end
local recovered, disputing = 0, false
for first = 4, #ARGV, #names + 3 do
  local fields, flat = {}, {}
  for n, name in ipairs(names) do
    fields[name] = ARGV[first + n - 1]
    flat[2 * n - 1], flat[2 * n] = name, ARGV[first + n - 1]
  end
  local key, now, outcome = KEYS[2], fields.time, fields.outcome
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(flat))
  redis.call('HINCRBY', key, 'attempts', 1)
  redis.call('HINCRBY', key, 'outcome:' .. outcome, 1)
  if outcome ~= 'given_back' and outcome ~= 'parked' then
    redis.call('HSET', key, 'last', now, 'status', fields.status)
  end
  if outcome == 'delivered' or outcome == 'refused' then
    -- Moving average over about the last ten.
    local before = tonumber(redis.call('HGET', key, 'latency') or '')
    local latency = before and (0.9 * before + 0.1 * fields.milliseconds) or tonumber(fields.milliseconds)
    redis.call('HSET', key, 'latency', string.format('%.1f', latency), 'failures', 0)
  end
  if outcome == 'delivered' then
    redis.call('HINCRBY', key, 'successes', 1)
    redis.call('HSET', key, 'success', now)
    redis.call('HDEL', key, 'alone')
    redis.call('HDEL', KEYS[3], fields.article)
    disputing = redis.call('HDEL', KEYS[5], fields.article) == 1 or disputing
    if redis.call('HDEL', key, 'suspended') == 1 then
      recovered = 1
    end
  elseif outcome ~= 'given_back' then
    redis.call('HSET', key, 'error', fields.error, 'answer', fields.answer, 'failed', now)
    if outcome == 'refused' or outcome == 'parked' then
      redis.call('HSET', KEYS[3], fields.article, ARGV[first + #names])
      disputing = redis.call('HDEL', KEYS[5], fields.article) == 1 or disputing
      if outcome == 'refused' then
        redis.call('HSET', key, 'parked', now)
      end
      if ARGV[first + #names + 2] == 'alone' then
        redis.call('HSET', key, 'alone', fields.article)
      end
    else
      redis.call('HINCRBY', key, 'failures', 1)
    end
    local dispute = ARGV[first + #names + 2]
    if dispute == 'recall' then
      local alone = redis.call('HGET', key, 'alone')
      if alone and alone ~= fields.article and redis.call('HDEL', KEYS[3], alone) == 1 then
        redis.call('HDEL', key, 'alone')
        local again = table.concat({now, 1, now, now, fields.status, 'refused like another one'}, ':')
        redis.call('HSET', KEYS[5], alone, again)
        disputing = true
      end
    elseif dispute ~= '' and dispute ~= 'alone' then
      redis.call('HSET', KEYS[5], fields.article, dispute)
      disputing = true
    end
  end
  -- What an endpoint answered is a fact even when its claim was taken over; only an older version is no news.
  if ARGV[first + #names + 1] ~= '' then
    for article, entry in pairs(cjson.decode(ARGV[first + #names + 1])) do
      local held = redis.call('HGET', KEYS[4], article)
      if not held or tonumber(string.match(held, '^(%d+):') or 0) <= tonumber(string.match(entry, '^(%d+):')) then
        redis.call('HSET', KEYS[4], article, entry)
      end
    end
  end
end
if disputing then
  plan_disputes(KEYS[5], KEYS[6], ARGV[3])
end
return recovered
