-- Acknowledge entries and remove them, if the worker that carried them out is still in charge. Otherwise hand them
-- over: by the definitions of the worker in charge they may belong in other feeds.
-- KEYS 1 stream   2 charge   3 failures (hash)
-- ARGV 1 group   2 the charge under which they were carried out   3 the consumer for entries that are handed over
--      4.. entries
-- Returns 1 when they are acknowledged, else 0.
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then
  for i = 4, #ARGV do
    redis.call(
      'XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, ARGV[i], 'IDLE', 3600000, 'RETRYCOUNT', 0, 'JUSTID'
    )
  end
  return 0
end
for i = 4, #ARGV do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
  redis.call('HDEL', KEYS[3], KEYS[1] .. ' ' .. ARGV[i])
end
return 1
