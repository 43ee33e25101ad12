-- Note what came of sending a message to a channel, if the lease of the channel is still the sender's; then end it.
-- KEYS 1 lease   2 channel -> the last message that it took   3 channel -> how it does
-- ARGV 1 token   2 channel   3 the message that it has taken, '': none   4 how it does, as JSON
-- Returns whether it was noted.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
redis.call('DEL', KEYS[1])
return 1
