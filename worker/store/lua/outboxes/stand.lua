-- with receivers/state.part
-- Say where the receivers of a feed are, all at one moment.
-- KEYS 1 meta   2 settled   3 claimed   4 backoff   5 paused   6 receiver states
-- ARGV 1 the head when this was last asked   2 how many receivers behind the head at the most
-- Returns {head, time of Redis (ms), receiver behind the head, its cursor, ...}; {} when the head is the same or more
-- receivers are behind, and while the feed is being rebuilt: its receivers may not be there yet.
local head = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
local most = tonumber(ARGV[2])
if head == tonumber(ARGV[1]) or redis.call('HEXISTS', KEYS[1], 'rebuilding') == 1 then
  return {}
end
local before = string.format('(%.0f', head)
local count = redis.call('ZCOUNT', KEYS[2], '-inf', before)
for n = 3, 5 do
  count = count + redis.call('ZCARD', KEYS[n])
end
if count > most then
  return {}
end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local answer = {string.format('%.0f', head), now, unpack(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', before, 'WITHSCORES'))}
for n = 3, 5 do
  local ids = redis.call('ZRANGE', KEYS[n], 0, -1)
  local states = #ids > 0 and redis.call('HMGET', KEYS[6], unpack(ids)) or {}
  for i, id in ipairs(ids) do
    answer[#answer + 1] = id
    answer[#answer + 1] = string.format('%.0f', read_receiver_state(states[i]).cursor)
  end
end
return answer
