-- Have pages looked at soon, those that had been done with too. Which are none of a killed article are passed over.
-- KEYS 1 looks   2 readbacks
-- ARGV 1 when (ms), at the latest   2 ... members
for i = 2, #ARGV do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 1 then
    redis.call('ZADD', KEYS[1], 'LT', ARGV[1], ARGV[i])
  end
end
