-- with receivers/removal.part receivers/state.part
-- Have a feed know receivers as the record does. Of a cursor the greater holds: what a receiver has it does not lose.
-- KEYS 1 meta   2 settled   3 claimed   4 backoff   5 paused   6 receiver states   7 receivers   8 leases
--      9 subscription counts
-- ARGV 1.. for each receiver: receiver, details JSON, cursor, end of its lease (ms) or '', paused since (ms) or '',
--      reason
-- Returns how many were not there.
local head = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
local missing = 0
for i = 1, #ARGV, 6 do
  local id, text, lease, paused = ARGV[i], ARGV[i + 1], ARGV[i + 3], ARGV[i + 4]
  local cursor = math.min(tonumber(ARGV[i + 2]), head)
  local details = redis.call('HGET', KEYS[7], id)
  local settled_at, backs_off = redis.call('ZSCORE', KEYS[2], id), redis.call('ZSCORE', KEYS[4], id)
  local state, remembered = read_receiver_state(redis.call('HGET', KEYS[6], id), details)
  if settled_at or remembered then
    cursor = math.max(cursor, math.min(tonumber(settled_at or state.cursor), head))
  elseif not details then
    missing = missing + 1
  end
  if string.sub(id, 1, 9) == 'endpoint:' then
    -- It may have articles that no ledger lists: until it is past this change, it gets every kill.
    local enrolled = cjson.decode(details or text)
    -- Redis may have enrolled it as new since it lost it.
    enrolled.since = math.max(tonumber(enrolled.since) or 0, tonumber(cjson.decode(text).since) or 0)
    enrolled.cut = head
    redis.call('HSET', KEYS[7], id, cjson.encode(enrolled))
  else
    if details then
      count(KEYS[9], details, -1)
    end
    count(KEYS[9], text, 1)
    redis.call('HSET', KEYS[7], id, text)
    redis.call('ZADD', KEYS[8], 'GT', lease, id)
  end
  -- Whoever had claimed it did so before Redis lost time.
  redis.call('ZREM', KEYS[3], id)
  state.token, state.cursor = 0, cursor
  if paused ~= '' then
    redis.call('ZREM', KEYS[2], id)
    redis.call('ZREM', KEYS[4], id)
    redis.call('ZADD', KEYS[5], paused, id)
    state.reason = ARGV[i + 5]
    redis.call('HSET', KEYS[6], id, cjson.encode(state))
  elseif backs_off then
    redis.call('HSET', KEYS[6], id, cjson.encode(state))
  else
    redis.call('ZREM', KEYS[5], id)
    redis.call('HDEL', KEYS[6], id)
    redis.call('ZADD', KEYS[2], string.format('%.0f', cursor), id)
  end
end
return missing
