-- Note until when a process that sends may begin requests without hearing from Redis again, and publish the lease on
-- its channel, where it arrives after all withdrawals that were published before.
-- KEYS 1 senders
-- ARGV 1 sender   2 how long from now (ms)   3 its channel   4 number of the lease
local now = redis.call('TIME')
redis.call('ZADD', KEYS[1], now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[2], ARGV[1])
redis.call('PUBLISH', ARGV[3], ARGV[4])
