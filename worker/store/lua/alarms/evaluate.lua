-- Compare the alarms that stand with the causes that there are now, and tell of what is new and of what is over, in one
-- step: whoever dies before it has changed nothing, whoever dies after it has lost nothing.
-- KEYS 1 standing: cause -> alarm as JSON   2 over: cause -> alarm that has ended and was not told of yet
--      3 messages (stream)   4 rule -> when it was told of last (ms)   5 channel -> the last message that it took
--      6 what was looked at last: its digest, when (ms), until when the same world changes nothing, how many stood
-- ARGV 1 now (ms)   2 how long a rule is not told of again (ms)   3 how long a cause must be gone (ms)
--      4 after how long an alarm that nobody acknowledges is told of again (ms, 0: never)   5 what new ids begin with
--      6 how many alarms a message lists   7 most messages   8 channels, rules that were looked at, and causes as JSON
--      9 digest of 8   10 for how long the same world is not looked at again, at the most (ms)
-- A cause is a rule, a tab and a subject. Returns how many alarms stand, whether others do than before (1, 0), and the
-- messages that were written.
local before = redis.call('HMGET', KEYS[6], 'digest', 'time', 'until', 'count')
if before[1] == ARGV[9] and tonumber(ARGV[1]) >= tonumber(before[2]) and tonumber(ARGV[1]) < tonumber(before[3]) then
  return {tonumber(before[4]), 0}
end

local now, window, settle, again = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local world = cjson.decode(ARGV[8])
local number = 0

local function new_id()
  number = number + 1
  return ARGV[5] .. number
end

local newest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
for _, channel in ipairs(world.channels) do
  redis.call('HSETNX', KEYS[5], channel, newest[1] and newest[1][1] or '0-0')
end

local standing, count, rules = {}, 0, {}
local fields = redis.call('HGETALL', KEYS[1])
for n = 1, #fields, 2 do
  local readable, alarm = pcall(cjson.decode, fields[n + 1])
  if readable and type(alarm) == 'table' and alarm.rule and alarm.raised then
    standing[fields[n]] = alarm
    count = count + 1
  else
    -- What can't be read is raised anew if its cause is still there.
    redis.call('HDEL', KEYS[1], fields[n])
  end
end

local changed, present, others = {}, {}, 0
for _, cause in ipairs(world.causes) do
  local key = cause[1] .. '\t' .. cause[2]
  local alarm = standing[key]
  present[key] = true
  if not alarm then
    alarm = {
      id = new_id(), rule = cause[1], subject = cause[2], detail = cause[3], raised = now,
      told = 0, acknowledged = 0, by = '', snoozed = 0, woken = 0, gone = 0,
    }
    standing[key], changed[key], others = alarm, true, 1
    count = count + 1
  elseif alarm.gone ~= 0 or alarm.detail ~= cause[3] then
    alarm.gone, alarm.detail, changed[key], others = 0, cause[3], true, 1
  end
end

local looked_at = {}
for _, rule in ipairs(world.rules) do
  looked_at[rule] = true
end
for key, alarm in pairs(standing) do
  if not present[key] and looked_at[alarm.rule] then
    if alarm.gone == 0 then
      alarm.gone, changed[key] = now, true
    end
    if now - alarm.gone >= settle then
      redis.call('HDEL', KEYS[1], key)
      -- Of what was snoozed before anybody was told of it there is nothing to tell.
      if alarm.told > 0 or alarm.snoozed <= now then
        redis.call('HSET', KEYS[2], key, cjson.encode(alarm))
      end
      standing[key], changed[key], others = nil, nil, 1
      count = count - 1
    end
  end
end

local function part(rule)
  rules[rule] = rules[rule] or {raised = {}, over = {}, keys = {}, ended = {}}
  return rules[rule]
end

for key, alarm in pairs(standing) do
  local due = alarm.told == 0 or alarm.woken ~= 0 or (again > 0 and alarm.acknowledged == 0 and now - alarm.told >= again)
  if due and alarm.gone == 0 and alarm.snoozed <= now then
    local of = part(alarm.rule)
    table.insert(of.raised, alarm)
    table.insert(of.keys, key)
  end
end
fields = redis.call('HGETALL', KEYS[2])
for n = 1, #fields, 2 do
  local readable, alarm = pcall(cjson.decode, fields[n + 1])
  if readable and type(alarm) == 'table' and alarm.rule and alarm.raised then
    local of = part(alarm.rule)
    table.insert(of.over, alarm)
    table.insert(of.ended, fields[n])
  else
    redis.call('HDEL', KEYS[2], fields[n])
  end
end

local function listed(alarms)
  table.sort(alarms, function(a, b)
    return a.raised < b.raised or (a.raised == b.raised and a.subject < b.subject)
  end)
  local rows = {}
  for n = 1, math.min(#alarms, tonumber(ARGV[6])) do
    local alarm = alarms[n]
    rows[n] = {
      id = alarm.id, subject = alarm.subject, detail = alarm.detail, raised = alarm.raised,
      ended = alarm.gone ~= 0 and alarm.gone or nil,
    }
  end
  return rows
end

local answer = {count, 0}
for rule, of in pairs(rules) do
  local last = tonumber(redis.call('HGET', KEYS[4], rule) or '0')
  if now - last >= window or now < last then
    local message = {
      id = new_id(), rule = rule, time = now, raised_count = #of.raised, over_count = #of.over,
      raised = listed(of.raised), over = listed(of.over),
    }
    local text = cjson.encode(message)
    redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[7], '*', 'message', text)
    answer[#answer + 1] = text
    redis.call('HSET', KEYS[4], rule, ARGV[1])
    for _, key in ipairs(of.keys) do
      -- One that was snoozed is open again.
      others = standing[key].woken ~= 0 and 1 or others
      standing[key].told, standing[key].woken, changed[key] = now, 0, true
    end
    for _, key in ipairs(of.ended) do
      redis.call('HDEL', KEYS[2], key)
    end
  end
end

for key in pairs(changed) do
  redis.call('HSET', KEYS[1], key, cjson.encode(standing[key]))
end

-- When time alone changes something.
local due = now + tonumber(ARGV[10])
local function at(time)
  due = math.min(due, math.max(time, now + 1))
end
local told = {}
local function window_of(rule)
  told[rule] = told[rule] or tonumber(redis.call('HGET', KEYS[4], rule) or '0') + window
  return told[rule]
end
for _, alarm in pairs(standing) do
  if alarm.gone ~= 0 then
    at(alarm.gone + settle)
  elseif alarm.told == 0 or alarm.woken ~= 0 then
    at(math.max(alarm.snoozed, window_of(alarm.rule)))
  elseif again > 0 and alarm.acknowledged == 0 then
    at(math.max(alarm.snoozed, window_of(alarm.rule), alarm.told + again))
  end
end
for _, text in ipairs(redis.call('HVALS', KEYS[2])) do
  at(window_of(cjson.decode(text).rule))
end
redis.call('HSET', KEYS[6], 'digest', ARGV[9], 'time', ARGV[1], 'until', string.format('%.0f', due), 'count', count)
answer[2] = others
return answer
