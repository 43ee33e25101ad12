-- Note that a worker is alive and by which definitions it works, and take charge of the events unless a worker with
-- newer definitions is alive. Each set of definitions has a number, given when a worker first worked by it.
-- KEYS 1 numbers (hash: digest of a set -> number)   2 living (sorted set: "number worker" -> last report, ms)
--      3 charge
-- ARGV 1 digest   2 worker   3 a worker without a report for so long (ms) no longer counts   4 ... is forgotten
--      5 when this worker reported last (ms), as it was answered then, or ''   6 a generation that was adopted, or 0
--      7 the set's number by the record, or 0   8 the greatest number in the record, or 0
-- Returns {number, greatest number of the living, the charge ("number generation") or '' when another set is in charge,
-- 1 when workers with a greater number were lost only a moment ago, else 0, now (ms), 1 when Redis has no trace of this
-- worker's last report, else 0}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
local number = math.max(before, tonumber(ARGV[7]))
if number == 0 then
  number = tonumber(ARGV[8])
  for _, other in ipairs(redis.call('HVALS', KEYS[1])) do
    number = math.max(number, tonumber(other))
  end
  number = number + 1
end
if number ~= before then
  redis.call('HSET', KEYS[1], ARGV[1], number)
end
local member = number .. ' ' .. ARGV[2]
local last = redis.call('ZSCORE', KEYS[2], before .. ' ' .. ARGV[2])
local forgotten = ARGV[5] ~= '' and (last or '') ~= ARGV[5] and 1 or 0
if last and number ~= before then
  redis.call('ZREM', KEYS[2], before .. ' ' .. ARGV[2])
end
-- The clock was set back: a living worker reports again at once, and a dead one must not count for so much longer.
for _, other in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')) do
  redis.call('ZADD', KEYS[2], now, other)
end
redis.call('ZADD', KEYS[2], now, member)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[4])
local newest, lost = number, 0
local living = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #living, 2 do
  local other = tonumber(string.match(living[i], '^%d+'))
  if other > number and tonumber(living[i + 1]) < now - ARGV[3] then
    lost = 1
  elseif other > newest then
    newest = other
  end
end
if newest > number then
  return {number, newest, '', 0, now, forgotten}
end
local charge = redis.call('GET', KEYS[3]) or '0 0'
local in_charge, generation = string.match(charge, '^(%d+) (%d+)$')
if tonumber(in_charge) ~= number or tonumber(generation) < tonumber(ARGV[6]) then
  charge = string.format('%d %d', number, math.max(generation, ARGV[6]) + 1)
  redis.call('SET', KEYS[3], charge)
end
return {number, newest, charge, lost, now, forgotten}
