-- Acknowledge entries and remove them, if the worker that carried them out is still in charge. Otherwise hand them
-- over: by the definitions of the worker in charge they may belong in other feeds.
-- KEYS 1 stream   2 charge   3 failures (hash)   4 results that the record does not know yet (stream)
-- ARGV 1 group   2 the charge under which they were carried out   3 the consumer for entries that are handed over
--      4 most results that are kept   5 how many entries   6.. entries   then results that the record does not know
-- Returns 1 when they are acknowledged, else 0.
local last = 5 + tonumber(ARGV[5])
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then
  for i = 6, last do
    -- Redis may have lost the stream together with the charge.
    redis.pcall(
      'XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, ARGV[i], 'IDLE', 3600000, 'RETRYCOUNT', 0, 'JUSTID'
    )
  end
  return 0
end
for i = last + 1, #ARGV do
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[4], '*', 'result', ARGV[i])
end
for i = 6, last do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
  redis.call('HDEL', KEYS[3], KEYS[1] .. ' ' .. ARGV[i])
end
return 1
