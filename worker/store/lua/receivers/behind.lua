-- with receivers/state.part
-- Count the subscriptions that are behind a change, all at one moment, so that one that moves meanwhile is not missed.
-- KEYS 1 settled   2 claimed   3 backoff   4 paused   5 receiver states   6 receivers
-- ARGV 1 number of the change   2.. the receivers that are endpoints
-- Returns how many.
local AT_ONCE = 1000
local seq = tonumber(ARGV[1])
local behind = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[1])
for first = 2, #ARGV, AT_ONCE do
  local scores = redis.call('ZMSCORE', KEYS[1], unpack(ARGV, first, math.min(#ARGV, first + AT_ONCE - 1)))
  for n = 1, math.min(#ARGV - first + 1, AT_ONCE) do
    if scores[n] and tonumber(scores[n]) < seq then
      behind = behind - 1
    end
  end
end
for place = 2, 4 do
  for first = 0, redis.call('ZCARD', KEYS[place]) - 1, AT_ONCE do
    local receivers = redis.call('ZRANGE', KEYS[place], first, first + AT_ONCE - 1)
    for n, text in ipairs(redis.call('HMGET', KEYS[5], unpack(receivers))) do
      local id = receivers[n]
      if string.sub(id, 1, 9) ~= 'endpoint:' then
        local state, readable = read_receiver_state(text)
        if not readable then
          state = read_receiver_state(nil, redis.call('HGET', KEYS[6], id))
        end
        if state.cursor < seq then
          behind = behind + 1
        end
      end
    end
  end
end
return behind
