-- Say that a worker is alive and by which definitions it works, and take charge of the events unless a worker that
-- works by newer ones is alive. Each set of definitions has a number, given when a worker first worked by it.
-- KEYS 1 numbers (hash: digest of a set -> number)   2 living (sorted set: "number worker" -> last seen, ms)   3 charge
-- ARGV 1 digest   2 worker   3 a worker that has not been seen for so long (ms) counts no more   4 ... is forgotten
--      5 when this worker was last seen (ms), as it was told then, or ''   6 a generation that was adopted, or 0
-- Returns {number, greatest number of the living, who is in charge ("number generation") or '' when that is not this
-- set, 1 when workers with a greater number were lost only a moment ago, else 0, when it is (ms), 1 when Redis knows
-- nothing of when this worker was last seen, else 0}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local number = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or redis.call('HLEN', KEYS[1]) + 1)
redis.call('HSETNX', KEYS[1], ARGV[1], number)
local member = number .. ' ' .. ARGV[2]
local forgot = ARGV[5] ~= '' and (redis.call('ZSCORE', KEYS[2], member) or '') ~= ARGV[5] and 1 or 0
-- The clock was set back: who lives says so again at once, who does not is not to live for so much longer.
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')) do
  redis.call('ZADD', KEYS[2], now, member)
end
redis.call('ZADD', KEYS[2], now, member)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[4])
local newest, lost = number, 0
local living = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #living, 2 do
  local theirs = tonumber(string.match(living[i], '^%d+'))
  if theirs > number and tonumber(living[i + 1]) < now - ARGV[3] then
    lost = 1
  elseif theirs > newest then
    newest = theirs
  end
end
if newest > number then
  return {number, newest, '', 0, now, forgot}
end
local charge = redis.call('GET', KEYS[3]) or '0 0'
local held, generation = string.match(charge, '^(%d+) (%d+)$')
if tonumber(held) ~= number or tonumber(generation) < tonumber(ARGV[6]) then
  charge = string.format('%d %d', number, math.max(generation, ARGV[6]) + 1)
  redis.call('SET', KEYS[3], charge)
end
return {number, newest, charge, lost, now, forgot}
