-- with receivers/removal.part receivers/state.part
-- Put right what time has changed among a feed's receivers: expired claims and due backoffs become settled (old
-- cursor), ended leases are removed, endpoints with a dispute that is due are set a change back, so that they are behind.
-- KEYS 1 meta   2 settled   3 claimed   4 backoff   5 paused   6 holds   7 receivers   8 leases   9 pending
--      10 counts   11 looks   12 disputes
-- ARGV 1 now (ms)   2 how many claims and backoffs at the most   3 leases that end then have ended (ms)   4 how many of
--      them at the most   5 the longest claim (ms)   6 the longest backoff (ms)
--      What is further ahead than that was noted by a clock that has been set back since: it is over as well.
-- Returns {expired claims, due backoffs, receivers behind, verifications due, pages to be looked at, details of each
-- subscription whose lease has ended ...}.
local now, limit = ARGV[1], ARGV[2]
local counts = {}
for n, key in ipairs({KEYS[3], KEYS[4]}) do
  local ids = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, limit)
  local most = string.format('(%.0f', now + ARGV[4 + n])
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, most, '+inf', 'LIMIT', 0, limit)) do
    ids[#ids + 1] = id
  end
  counts[n] = #ids
  for _, id in ipairs(ids) do
    local cursor, rest = remembered(redis.call('HGET', KEYS[6], id), redis.call('HGET', KEYS[7], id))
    redis.call('ZREM', key, id)
    redis.call('ZADD', KEYS[2], cursor, id)
    if n == 1 and string.sub(id, 1, 9) == 'endpoint:' then
      -- It may hold what nobody has noted: until it has come past this change, kills do not ask what its ledger says.
      local readable, details = pcall(cjson.decode, redis.call('HGET', KEYS[7], id))
      if readable and type(details) == 'table' then
        details.cut = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
        redis.call('HSET', KEYS[7], id, cjson.encode(details))
      end
    end
    -- Not failing, and not asking to be left alone any more.
    local free = string.match(rest, '^0:%d+:(%d+):')
    if free and tonumber(free) <= tonumber(now) then
      redis.call('HDEL', KEYS[6], id)
    else
      redis.call('HSET', KEYS[6], id, '0:' .. cursor .. ':' .. rest)
    end
  end
end
local ended = redis.call('ZRANGEBYSCORE', KEYS[8], '-inf', ARGV[3], 'LIMIT', 0, ARGV[4])
local told = {}
for _, id in ipairs(ended) do
  told[#told + 1] = redis.call('HGET', KEYS[7], id) or ''
  remove(id, {KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[8]}, KEYS[6], KEYS[7], KEYS[10])
end
local head = redis.call('HGET', KEYS[1], 'head') or '0'
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[12], '-inf', now)) do
  local cursor = redis.call('ZSCORE', KEYS[2], id)
  if cursor and tonumber(cursor) >= tonumber(head) then
    redis.call('ZADD', KEYS[2], string.format('%.0f', head - 1), id)
  end
end
return {
  counts[1], counts[2],
  redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. head),
  redis.call('ZCOUNT', KEYS[9], '-inf', now),
  redis.call('ZCOUNT', KEYS[11], '-inf', now),
  unpack(told),
}
