-- with attempts/disputes.part
-- Forget disputes: there is nothing more to be said of these articles.
-- KEYS 1 disputed   2 disputes
-- ARGV 1 receiver   2 ... articles
redis.call('HDEL', KEYS[1], unpack(ARGV, 2))
plan_disputes(KEYS[1], KEYS[2], ARGV[1])
