-- with outboxes/append.part receivers/removal.part receivers/state.part
-- Correct what time has changed among a feed's receivers: expired claims and due backoffs become settled (old cursor),
-- subscriptions whose lease has ended are removed, and endpoints with a dispute that is due are set one change back, so
-- that they are behind.
-- KEYS 1 meta   2 settled   3 claimed   4 backoff   5 paused   6 receiver states   7 receivers   8 leases
--      9 verifications due   10 subscription counts   11 page checks due   12 disputes due
--      13 outbox   14 pulled
-- ARGV 1 now (ms)   2 how many claims and backoffs at the most   3 leases that end before this time have ended (ms)
--      4 how many leases at the most   5 the longest claim (ms)   6 the longest backoff (ms)
--      A claim or backoff that ends later than that was written by a clock that has been set back since: it is over.
-- Returns {expired claims, due backoffs, receivers behind that can be claimed, verifications due, page checks due, entries in
-- the outbox, details of each subscription whose lease has ended ...}.
local now, limit = ARGV[1], ARGV[2]
local counts = {}
for n, key in ipairs({KEYS[3], KEYS[4]}) do
  local ids = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, limit)
  local longest = string.format('(%.0f', now + ARGV[4 + n])
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, longest, '+inf', 'LIMIT', 0, limit)) do
    ids[#ids + 1] = id
  end
  counts[n] = #ids
  for _, id in ipairs(ids) do
    local state = read_receiver_state(redis.call('HGET', KEYS[6], id), redis.call('HGET', KEYS[7], id))
    redis.call('ZREM', key, id)
    redis.call('ZADD', KEYS[2], state.cursor, id)
    if n == 1 and string.sub(id, 1, 9) == 'endpoint:' then
      -- It may have articles that its ledger does not list: until it is past this change, it gets every kill.
      local readable, details = pcall(cjson.decode, redis.call('HGET', KEYS[7], id))
      if readable and type(details) == 'table' then
        details.cut = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
        redis.call('HSET', KEYS[7], id, cjson.encode(details))
      end
    end
    state.token = 0
    keep_unless_plain(KEYS[6], id, state, now)
  end
end
local ended = redis.call('ZRANGEBYSCORE', KEYS[8], '-inf', ARGV[3], 'LIMIT', 0, ARGV[4])
local subscriptions = {}
for _, id in ipairs(ended) do
  subscriptions[#subscriptions + 1] = redis.call('HGET', KEYS[7], id) or ''
  remove(id, {KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[8]}, KEYS[6], KEYS[7], KEYS[10], KEYS[13],
    'the lease has ended')
end
local head = redis.call('HGET', KEYS[1], 'head') or '0'
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[12], '-inf', now)) do
  local cursor = redis.call('ZSCORE', KEYS[2], id)
  if cursor and tonumber(cursor) >= tonumber(head) then
    redis.call('ZADD', KEYS[2], string.format('%.0f', head - 1), id)
  end
end
local behind = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. head)
for _, id in ipairs(redis.call('SMEMBERS', KEYS[14])) do
  local cursor = redis.call('ZSCORE', KEYS[2], id)
  if cursor and tonumber(cursor) < tonumber(head) then
    behind = behind - 1
  end
end
return {
  counts[1], counts[2],
  behind,
  redis.call('ZCOUNT', KEYS[9], '-inf', now),
  redis.call('ZCOUNT', KEYS[11], '-inf', now),
  redis.call('XLEN', KEYS[13]),
  unpack(subscriptions),
}
