-- with outboxes/append.part receivers/removal.part
-- Remove a receiver wherever it stands. A worker that has claimed it is fenced off.
-- KEYS 1 settled   2 claimed   3 backoff   4 paused   5 leases   6 receiver states   7 receivers
--      8 subscription counts   9 outbox
-- ARGV 1 receiver   2 reason
remove(ARGV[1], {KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]}, KEYS[6], KEYS[7], KEYS[8], KEYS[9], ARGV[2])
