-- Take off marks that nobody has set anew.
-- KEYS 1 marks (hash)
-- ARGV 1.. name, mark, name, mark ...
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
