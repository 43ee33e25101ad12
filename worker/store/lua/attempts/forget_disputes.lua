-- with attempts/disputes.part
-- Forget disputes about articles of which the endpoint needs nothing more.
-- KEYS 1 disputed   2 disputes due
-- ARGV 1 receiver   2 ... articles
redis.call('HDEL', KEYS[1], unpack(ARGV, 2))
plan_disputes(KEYS[1], KEYS[2], ARGV[1])
