-- Acknowledge or snooze alarms.
-- KEYS 1 standing: cause -> alarm as JSON   2 what was looked at last (lua/alarms/evaluate.lua)
-- ARGV 1 the id of an alarm, or a rule: all of it   2 when it was acknowledged (ms, 0: it is not)   3 by whom
--      4 until when it is snoozed (ms, 0: it is not)
-- Returns the causes that were marked.
local fields, marked = redis.call('HGETALL', KEYS[1]), {}
for n = 1, #fields, 2 do
  local readable, alarm = pcall(cjson.decode, fields[n + 1])
  if readable and type(alarm) == 'table' and (alarm.id == ARGV[1] or alarm.rule == ARGV[1]) then
    if ARGV[2] ~= '0' and alarm.acknowledged == 0 then
      alarm.acknowledged, alarm.by = tonumber(ARGV[2]), ARGV[3]
    end
    if ARGV[4] ~= '0' then
      -- When that is over it is told of again, if it still stands.
      alarm.snoozed, alarm.by, alarm.woken = tonumber(ARGV[4]), ARGV[3], 1
    end
    redis.call('HSET', KEYS[1], fields[n], cjson.encode(alarm))
    marked[#marked + 1] = fields[n]
  end
end
redis.call('DEL', KEYS[2])
return marked
