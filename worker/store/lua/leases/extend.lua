-- Keep a lease for longer, or end it, if it is still one's own.
-- KEYS 1 lease
-- ARGV 1 token   2 for how long (ms); 0: end it
-- Returns 1 when it was one's own, else 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
