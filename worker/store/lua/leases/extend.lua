-- Extend a lease, or release it, if the token is still its holder's.
-- KEYS 1 lease
-- ARGV 1 token   2 for how long from now (ms); 0: release it
-- Returns 1 when it was the holder's, else 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
